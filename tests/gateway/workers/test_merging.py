"""Metrics of several processes, beside one that has counted all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.metrics import Metrics
from gateway.workers.merging import GREATEST, LEAST, Merged, Shown, families

SEEN = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100)), max_size=20)


class Counted:
    """Counts each number twice: as a sum, and in a histogram."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.sum = Counter("sum", 'It has "quotes".', ["name"], registry=self.registry)
        self.histogram = Histogram("seen", "Seen.", ["name"], buckets=(10, 50), registry=self.registry)

    def take(self, seen):
        for name, number in seen:
            self.sum.labels(name).inc(number)
            self.histogram.labels(name).observe(number)


def lines(registry):
    """Return the samples as written, but for when they were made."""
    return sorted(line for line in generate_latest(registry).decode().splitlines() if "_created" not in line)


def merged(*parts):
    """Return the merged metrics, each part as it comes over the channel."""
    total = Merged()
    for part in parts:
        total.add(json.loads(json.dumps(families(part))))
    return Shown(json.loads(json.dumps([*total.families()])))


@given(st.lists(SEEN, min_size=1, max_size=4))
def test_what_is_counted_adds_up(parts):
    """Whoever has counted it: as if one had, to the last bucket."""
    alone, together = Counted(), [Counted() for _ in parts]
    for one, seen in zip(together, parts, strict=True):
        one.take(seen)
        alone.take(seen)

    assert lines(alone.registry) == lines(merged(*(one.registry for one in together)))


@pytest.mark.parametrize(
    ("name", "expected"), [("pointsman_config_last_reload_successful", 0), ("pointsman_promise_alarm", 1)]
)
def test_gauges_show_what_says_most(name, expected):
    """One that has refused, and one that is alarmed, is enough."""
    registries = [CollectorRegistry() for _ in range(3)]
    for registry, value in zip(registries, (1, 0, 1), strict=True):
        Gauge(name, "It shows.", registry=registry).set(value)

    assert f"{name} {expected:.1f}" in lines(merged(*registries))


def test_what_has_ended_shows_nothing():
    """Its counts stay."""
    registry, total = CollectorRegistry(), Merged()
    Gauge("shown", "It shows.", registry=registry).set(1)
    Counter("counted", "It counts.", registry=registry).inc()
    total.add(families(registry), gauges=False)

    assert ["counted"] == [family.name for family in total.families()]


def test_every_gauge_has_a_rule():
    """And none has two."""
    gauges = {family.name for family in families(Metrics().registry) if family.type == "gauge"}

    assert gauges == LEAST | GREATEST
    assert set() == LEAST & GREATEST
