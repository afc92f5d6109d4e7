import math
from random import Random

import pytest

from routers.estimating import EstimatingRouter
from routers.prefilter import Prefilter
from routers.rules.greedy import Greedy
from routers.steadiness import Minding, steadiness
from routers.types import Candidate, Context, Incumbent
from tests.gateway.worlds import Known

POOL = [Candidate(name) for name in "abcd"]
HELLO = Context("hello", 2)


def prefilter(keep=2, floor=0.0):
    return Prefilter(EstimatingRouter(Known(a=0.1, b=0.5, c=0.9, d=0.2), Greedy(), 1.0), keep, floor)


def chances(router, seed=0):
    return dict(next(router.plan(HELLO, POOL, Random(seed))).propensities)


def test_an_unsteady_model_drops_out():
    """Nothing being known of the requests, steadiness decides who is kept; the router chooses among them."""
    router = prefilter().minding({"c": 0.1, "d": 0.2})

    assert {"a": 0.0, "b": 1.0, "c": 0.0, "d": 0.0} == chances(router)
    assert isinstance(router, Minding)


def test_who_is_not_kept_keeps_a_floor():
    """And is drawn about as often, with its own probability in the log."""
    router = prefilter(floor=0.02).minding({"a": 0.1, "d": 0.2})
    calls = [next(router.plan(HELLO, POOL, Random(seed))) for seed in range(1000)]
    drawn = sum(call.candidates[0].model in "ad" for call in calls) / 1000

    assert {"a": 0.02, "b": 0.0, "c": 0.96, "d": 0.02} == pytest.approx(dict(calls[0].propensities))
    assert abs(drawn - 0.04) < 4 * math.sqrt(0.04 * 0.96 / 1000)
    assert all(call.best == "c" for call in calls)


def test_an_incumbent_is_kept_and_chance_does_not_change_it():
    """However unsteady it is."""
    router = prefilter(floor=0.02).minding({"a": 0.0}).staying_with(Incumbent("c"))

    assert 1.0 == chances(router)["c"]
    assert chances(prefilter(floor=0.02).minding({"a": 0.0}).staying_with(Incumbent("a"))).keys() == set("abcd")


def test_a_small_pool_is_kept_whole():
    """There is nothing to filter."""
    assert {"a": 0.0, "b": 0.0, "c": 1.0, "d": 0.0} == chances(prefilter(keep=4, floor=0.02))


@pytest.mark.parametrize(
    ("load", "latency_s", "available", "expected"),
    [(0, None, True, 1.0), (1, 2.0, False, 0.0), (2.5, 9.0, True, 0.2), (0.5, 0.5, False, 0.5)],
)
def test_steadiness_has_three_parts(load, latency_s, available, expected):
    """Room, speed, and whether it rests; each is held to its share."""
    assert pytest.approx(expected) == steadiness(load, latency_s, available=available)
