from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.constraints import Constraints
from gateway.exploration.budget import Budgets
from gateway.exploration.choosing import Allowance, begin, best_of, extra_usd, most_extra_usd
from gateway.exploration.rules import ExplorationRules
from gateway.quotas.memory_ledger import MemoryLedger
from routers.estimating import EstimatingRouter
from routers.plans.panel import Panel
from routers.plans.self_consistency import SelfConsistency
from routers.random_choice import RandomChoice
from routers.rules.softmax import Softmax
from routers.types import Call, Candidate, Context, Price
from tests.gateway.worlds import NOON, Known, ask, decider, policy, world

CHEAP, DEAR, UNPRICED = (
    Candidate("cheap", Price(input=Decimal(0), output=Decimal(1))),
    Candidate("dear", Price(input=Decimal(0), output=Decimal(101))),
    Candidate("unpriced"),
)
POOL = (CHEAP, DEAR)
HELLO = Context("hello", 2)
#: What the dear one is expected to cost beyond the cheap one: 256 tokens at 100 USD a million more.
EXTRA = 0.0256


def even(**rewards):
    """Return a router that draws each of equals with the same chance; money does not count."""
    return EstimatingRouter(Known(**({"cheap": 0.5, "dear": 0.5, "unpriced": 0.5} | rewards)), Softmax(0.5), 1.0)


def call(chosen, best=None, costs=None, **propensities):
    costs = {"cheap": 0.1, "dear": 0.5} if costs is None else costs
    return Call((Candidate(chosen),), propensities, "test", expected_cost_usd=costs, best=best)


def test_the_likeliest_is_best_where_the_router_does_not_say():
    """Who says so is believed."""
    assert "dear" == best_of(call("cheap", cheap=0.1, dear=0.9))
    assert "cheap" == best_of(call("cheap", "cheap", cheap=0.1, dear=0.9))


def test_extra_is_what_a_draw_costs_beyond_the_best():
    """A cheaper one costs nothing; an unknown cost counts as the dearest one known; where none is known, who knows."""
    drawn = call("dear", "cheap", cheap=0.5, dear=0.4, other=0.1)

    assert pytest.approx(0.4) == extra_usd(drawn, "dear")
    assert pytest.approx(0.4) == extra_usd(drawn, "other")
    assert 0.0 == extra_usd(call("cheap", "dear", cheap=0.5, dear=0.5), "cheap")
    assert extra_usd(call("dear", "cheap", {}, cheap=0.5, dear=0.5), "dear") is None


def test_the_most_that_a_draw_can_cost_leaves_out_who_cannot_be_drawn():
    """And a pool of one costs nothing beyond itself."""
    assert 0.0 == most_extra_usd(call("cheap", "cheap", cheap=1.0, dear=0.0))
    assert pytest.approx(0.4) == most_extra_usd(call("cheap", "cheap", cheap=0.9, dear=0.1))
    assert 0.0 == most_extra_usd(call("cheap", "cheap", {}, cheap=1.0))
    assert most_extra_usd(call("cheap", "cheap", {}, cheap=0.5, dear=0.5)) is None


def test_a_router_that_does_not_explore_is_left_as_it_is():
    """Drawing at random is what it is for."""
    plan, first, explored = begin(RandomChoice(), Allowance("policy"), (HELLO, POOL), Random(0))

    assert {"cheap": 0.5, "dear": 0.5} == first.propensities
    assert explored is None
    plan.close()


@pytest.mark.parametrize(("left", "off"), [(None, None), (1.0, None), (EXTRA + 1e-9, None), (EXTRA - 1e-6, "budget")])
def test_a_request_explores_only_if_its_dearest_draw_is_paid_for(left, off):
    """So the draw itself never decides whether it counts, and what is logged is what was drawn from."""
    for seed in range(20):
        _, first, explored = begin(even(cheap=0.51), Allowance(None, left), (HELLO, POOL), Random(seed))

        assert (off, left) == (explored.off, explored.left_usd)
        assert (0 if off else pytest.approx(0.495, abs=1e-3)) == first.propensities["dear"]


@pytest.mark.parametrize("off", [None, "policy"])
def test_a_plan_explores_as_the_router_that_draws_its_first_call(off):
    """Money guards what it draws, and who turns exploration off turns it off there."""
    plan = SelfConsistency(even(cheap=0.51))
    found = [begin(plan, Allowance(off, 1.0), (HELLO, POOL), Random(seed))[1:] for seed in range(20)]

    assert {off} == {explored.off for _, explored in found}
    assert (off is None) == any(explored.strayed for _, explored in found)
    assert all(explored.chosen == first.candidates[0].model for first, explored in found)
    assert (0 if off else pytest.approx(0.495, abs=1e-3)) == found[0][0].propensities["dear"]


def test_several_that_are_asked_at_once_are_not_drawn():
    """So nothing has strayed, whoever is named first."""
    _, first, explored = begin(Panel(even(dear=0.51), size=2), Allowance(), (HELLO, POOL), Random(0))

    assert (2, False) == (len(first.candidates), explored.strayed)


def test_without_known_costs_a_bound_on_money_cannot_be_kept():
    """So nothing is explored; without a bound it is."""
    pool = (UNPRICED, Candidate("cheap"))

    assert "cost_unknown" == begin(even(), Allowance(None, 1.0), (HELLO, pool), Random(0))[2].off
    assert begin(even(), Allowance(), (HELLO, pool), Random(0))[2].off is None


def deciding(rules, router=None, candidates=POOL):
    return decider(policy("p", candidates, router or even(cheap=0.51), exploration=rules))


async def decided(rules, there=None, times=1, **asked):
    there = there or world()
    one = deciding(rules)
    routed = [await one.decide(ask(**asked), there) for _ in range(times)]
    await there.exploration.aclose()
    return routed


async def test_a_policy_can_turn_it_off():
    """The best is taken for certain; the log and `why` say so."""
    (routed,) = await decided(ExplorationRules(enabled=False))

    assert {"cheap": 1.0, "dear": 0.0} == routed.call.propensities
    assert routed.call.why.endswith(" exploration=off(policy)")
    trace = routed.trace.as_json()["exploration"]
    assert (False, "policy", "cheap") == (trace["on"], trace["because"], trace["best"])


async def test_it_is_on_by_default():
    """The trace says what the choice is expected to cost beyond the best."""
    routed = await decided(ExplorationRules(), times=30)
    extras = {one.call.candidates[0].model: one.trace.as_json()["exploration"]["extra_usd"] for one in routed}

    assert {"cheap": 0.0, "dear": pytest.approx(EXTRA)} == extras
    assert all("exploration" not in one.call.why for one in routed)


async def test_a_caller_and_a_request_can_do_without():
    """Whoever does not want it is not explored with."""
    one, there = deciding(ExplorationRules()), world()
    for off in ("caller", "request"):
        routed = await one.decide(replace(ask(), unexplored=off), there)

        assert 1.0 == routed.call.propensities["cheap"]
        assert off == routed.trace.exploration.off


async def test_a_spent_budget_ends_it_until_midnight():
    """The next day it begins anew."""
    there = world()
    there.exploration.spend("p", 1.0, NOON)
    (routed,) = await decided(ExplorationRules(max_usd_per_day=1.0), there)

    assert ("budget", 0.0) == (routed.trace.exploration.off, routed.trace.exploration.left_usd)
    assert 1.0 == routed.call.propensities["cheap"]


@given(st.integers(0, 1000), st.floats(0.0, 0.5))
async def test_the_budget_is_never_exceeded(seed, most_usd):
    """One request after the other: what was explored for comes to no more than there was."""
    there, spent = world(seed), 0.0
    one = deciding(ExplorationRules(max_usd_per_day=most_usd))
    for _ in range(40):
        explored = (await one.decide(ask(), there)).trace.exploration
        if explored.strayed and explored.extra_usd:
            spent += explored.extra_usd
            there.exploration.spend("p", explored.extra_usd, NOON)
    await there.exploration.aclose()

    assert spent <= most_usd


async def test_it_never_leaves_the_constraints():
    """Who must not answer has no chance, whatever is explored."""
    seen = Counter()
    for routed in await decided(ExplorationRules(), times=50, constraints=Constraints(deny=frozenset({"dear"}))):
        assert {"cheap": 1.0} == routed.call.propensities
        seen[routed.call.candidates[0].model] += 1

    assert {"cheap": 50} == seen


async def test_worlds_do_not_share_budgets_unless_they_are_told_to():
    """A rehearsal spends nothing of anybody's."""
    ledger = MemoryLedger()
    shared, alone = Budgets(ledger), world()
    shared.spend("p", 1.0, NOON)

    assert 2.0 == alone.exploration.left_usd("p", 2.0, NOON)
    await shared.aclose()
    await alone.exploration.aclose()
