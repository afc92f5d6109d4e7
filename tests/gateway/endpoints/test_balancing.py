import random
from collections import Counter

import pytest

from gateway.endpoints.balancing import in_order
from gateway.endpoints.fleet import Fleet
from tests.gateway.worlds import endpoint

DRAWS = 4000


def firsts(balance, endpoints, fleet=None, now=0.0) -> Counter:
    fleet, rng = fleet or Fleet(), random.Random(0)
    return Counter(in_order(endpoints, fleet.condition, balance, now, rng)[0].name for _ in range(DRAWS))


def test_weights_are_shares():
    """A weight of three gets three quarters."""
    found = firsts("weighted", [endpoint("a"), endpoint("b", weight=3)])

    assert found["b"] / DRAWS == pytest.approx(0.75, abs=0.03)


def test_who_has_the_fewest_requests_is_asked():
    """By weight: with twice the weight it has twice as many."""
    fleet = Fleet()
    fleet.condition("a").gate.in_flight = 1
    fleet.condition("b").gate.in_flight = 2

    assert {"a"} == firsts("outstanding", [endpoint("a"), endpoint("b")], fleet).keys()
    assert {"b"} == firsts("outstanding", [endpoint("a"), endpoint("b", weight=2)], fleet).keys()


def test_the_faster_of_two_is_asked():
    """Until it has so many more requests that the slower one is done sooner."""
    fleet, endpoints = Fleet(), [endpoint("fast"), endpoint("slow")]
    fleet.condition("fast").latency.note(1, 0)
    fleet.condition("slow").latency.note(3, 0)
    assert {"fast"} == firsts("latency", endpoints, fleet).keys()
    fleet.condition("fast").gate.in_flight = 5
    assert {"slow"} == firsts("latency", endpoints, fleet).keys()


def test_a_slow_endpoint_is_forgiven():
    """What it was long ago says nothing of now."""
    fleet, endpoints = Fleet(), [endpoint("fast"), endpoint("slow")]
    fleet.condition("fast").latency.note(1, 1000)
    fleet.condition("slow").latency.note(100, 0)

    assert {"slow"} == firsts("latency", endpoints, fleet, now=1000).keys()


@pytest.mark.parametrize("balance", ["latency", "outstanding", "weighted"])
def test_all_are_in_the_order(balance):
    """The others stand by."""
    endpoints = [endpoint(name) for name in "abcd"]
    ordered = in_order(endpoints, Fleet().condition, balance, 0, random.Random(1))

    assert set(endpoints) == set(ordered)
    assert {"a", "b", "c", "d"} == firsts(balance, endpoints).keys()
