import time

from gateway.minding import minding
from routers.estimating import EstimatingRouter
from routers.prefilter import Prefilter
from routers.random_choice import RandomChoice
from routers.rules.greedy import Greedy
from tests.gateway.worlds import Known, ask, decider, policy, pool, resting, world

POOL = pool("a", "b", "c")


def prefilter():
    return Prefilter(EstimatingRouter(Known(a=0.9, b=0.5, c=0.1), Greedy(), 1.0), keep=1, floor=0.0)


def test_a_router_that_does_not_mind_is_left_alone():
    """It is told nothing."""
    router = RandomChoice()

    assert router is minding(router, POOL, POOL, world(), time.monotonic())


async def test_a_model_that_was_slow_lately_is_not_kept():
    """The next by name is, where nothing else tells them apart."""
    there = world()
    there.latencies.note("a", 5.0, time.monotonic())
    routed = await decider(policy("p", POOL, prefilter())).decide(ask(), there)

    assert {"a": 0.0, "b": 1.0, "c": 0.0} == routed.call.propensities


async def test_a_model_that_rests_is_no_candidate_and_who_is_left_is_kept():
    """As ever."""
    there = world()
    resting(there, "a")
    routed = await decider(policy("p", POOL, prefilter())).decide(ask(), there)

    assert {"b": 1.0, "c": 0.0} == routed.call.propensities
