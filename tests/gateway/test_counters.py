"""What is counted without locks looks as what `prometheus_client` counts."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from gateway import counters

BUCKETS = (0.005, 0.5, 1, 2.5, 10)
LABELS = st.tuples(st.text(max_size=3), st.sampled_from(["prompt", "completion"]))
CREATED = re.compile(r"(_created\{.*\}) \S+")


def exposed(registry):
    """Return the text of a registry's metrics, without the times since when each is counted."""
    return CREATED.sub(r"\1 T", generate_latest(registry).decode())


@given(st.lists(st.tuples(LABELS, st.integers(0, 10**12) | st.floats(0, 1e9)), max_size=20))
def test_counters_are_exposed_as_ever(counts):
    """Each sum under its labels, to the digit."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    one = counters.counter(ours, "a_tokens", "Tokens, by kind.", "model", "kind")
    other = Counter("a_tokens", "Tokens, by kind.", ("model", "kind"), registry=theirs)
    for labels, amount in counts:
        one.labels(*labels).inc(amount)
        other.labels(*labels).inc(amount)

    assert exposed(theirs) == exposed(ours)


@given(st.lists(st.tuples(LABELS, st.floats(0, 20) | st.sampled_from(BUCKETS)), max_size=20))
def test_histograms_are_exposed_as_ever(observed):
    """A value on a bound lies in that bound's bucket, one beyond all of them in the infinite one."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    one = counters.histogram(ours, "a_seconds", "Seconds.", BUCKETS, "model", "kind")
    other = Histogram("a_seconds", "Seconds.", ("model", "kind"), buckets=BUCKETS, registry=theirs)
    for labels, value in observed:
        one.labels(*labels).observe(value)
        other.labels(*labels).observe(value)

    assert exposed(theirs) == exposed(ours)


def test_it_is_told_since_when_each_is_counted():
    """For whoever computes rates across a restart."""
    registry, before = CollectorRegistry(), time.time()
    counters.counter(registry, "a", "A.", "model").labels("m").inc()

    assert before <= registry.get_sample_value("a_created", {"model": "m"}) <= time.time()


def test_a_name_is_given_once():
    """Whatever counts under it."""
    registry = CollectorRegistry()
    counters.counter(registry, "a", "A.", "model")

    with pytest.raises(ValueError, match="Duplicated"):
        Counter("a", "A.", registry=registry)


def test_mistakes_are_refused():
    """A counter that would fall, and labels that it does not have."""
    family = counters.counter(CollectorRegistry(), "a", "A.", "model", "kind")

    with pytest.raises(ValueError, match="only grows"):
        family.labels("m", "k").inc(-1)
    with pytest.raises(ValueError, match="has the labels model, kind, not 1 of them"):
        family.labels("m")
