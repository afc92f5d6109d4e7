from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bill import estimate
from gateway.constraints import Constraints
from gateway.errors import BudgetExceeded, NoEligibleModel
from gateway.policy import Stickiness
from gateway.quotas.errors import QuotaExceeded
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.quotas import Quotas
from gateway.quotas.types import Estimate
from gateway.signals.step import Step
from gateway.tasks.task import TaskRules, quota_of
from routers.agent import Agent
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.rules.greedy import Greedy
from routers.types import Candidate, Price
from tests.gateway.worlds import NOON, ask, decider, policy, tool_loop, world

SMALL = Candidate("small", Price(Decimal(1), Decimal(2)))
LARGE = Candidate("large", Price(Decimal(10), Decimal(20)))
FREE = Candidate("free", Price(Decimal(0), Decimal(0)))
UNPRICED = Candidate("unpriced")
LOOSE = Stickiness(tool_loop=False, session=False)
HARD = [*tool_loop(), {"role": "tool", "tool_call_id": "call_1", "content": "Error: no"}]
NANO = 1_000_000_000


def agent(usd="0.1", *pool, **rules):
    """Return what decides on steps of a small and a large model."""
    task = TaskRules(Decimal(usd), **{"step_tokens": 1000} | rules)
    one = policy(pool=pool or (SMALL, LARGE), router=Agent("small", "large"), stickiness=LOOSE, task=task)
    return decider(one, more=[Step()])


async def taken(there, usd, deciding, asked, *, settled=True):
    """Let the session have spent some USD, or hold them."""
    routed = await deciding.decide(asked, there)
    nanos = int(Decimal(usd) * NANO)
    grant = await there.quotas.reserve(routed.holder, "small", Estimate(0, nanos), NOON)
    if settled:
        await grant.settle(0, nanos, NOON)
    return there


async def model_of(deciding, asked, there):
    return (await deciding.decide(asked, there)).call.candidates[0].model


async def test_a_hard_step_goes_to_the_large_model_while_there_is_money():
    """By the cues of the conversation, in a loop of tools, too."""
    deciding, there = agent(), world()

    assert "large" == await model_of(deciding, ask(), there)
    assert "small" == await model_of(deciding, ask(messages=tool_loop()), there)
    assert "large" == await model_of(deciding, ask(messages=HARD), there)


async def test_as_the_budget_drains_the_small_model_takes_over():
    """First because a step has to be harder, then because the large one might cost more than is left."""
    deciding = agent()
    drained = await taken(world(), "0.05", deciding, ask())
    routed = await deciding.decide(ask(), drained)
    last = await deciding.decide(ask(), await taken(drained, "0.035", deciding, ask()))

    assert ("small", {}) == (routed.call.candidates[0].model, dict(routed.trace.removed))
    assert "small" == last.call.candidates[0].model
    assert last.trace.removed["large"].startswith("budget: 0.02")
    assert {"budget_usd": 0.1, "left_usd": 0.015, "over": False} == last.trace.as_json()["task"]
    assert 0.15 == last.context.features["task.left_share"]


async def test_a_step_that_cannot_be_paid_for_is_refused():
    """With a code of its own, and a word that repeating does not help."""
    deciding = agent()
    there = await taken(world(), "0.0995", deciding, ask())

    with pytest.raises(BudgetExceeded) as error:
        await deciding.decide(ask(), there)
    assert (429, "budget_exceeded", {"x-should-retry": "false"}) == (
        error.value.status,
        error.value.code,
        error.value.headers,
    )
    assert "0.0005 USD are left" in str(error.value)


async def test_where_the_policy_says_so_the_cheapest_goes_on():
    """Beyond the budget, and what it takes is counted."""
    deciding = agent(when_spent="cheapest")
    there = await taken(world(), "0.0995", deciding, ask())
    routed = await deciding.decide(ask(), there)
    grant = await there.quotas.reserve(routed.holder, "small", estimate(SMALL, routed.demand), NOON)
    await grant.settle(10, NANO, NOON)

    assert (("small",), True) == (tuple(one.model for one in routed.pool), routed.trace.task.over)
    assert "large" in routed.trace.removed
    assert 0.0 == (await deciding.decide(ask(), there)).context.features["task.left_usd"]


async def test_what_is_free_is_never_beyond_a_budget():
    """No money is needed for it."""
    deciding = decider(policy(pool=(FREE, LARGE), task=TaskRules(Decimal("0.1"))))
    there = await taken(world(), "0.1", deciding, ask())

    assert "free" == await model_of(deciding, ask(), there)


async def test_a_model_of_unknown_price_has_no_place_in_a_budget():
    """It might cost anything: neither now nor when all is spent."""
    for when in ("refuse", "cheapest"):
        rules = TaskRules(Decimal("0.1"), when_spent=when)
        with pytest.raises(BudgetExceeded, match="its price is unknown"):
            await decider(policy(pool=(UNPRICED,), task=rules)).decide(ask(), world())


async def test_a_budget_does_not_hide_what_else_speaks_against_a_model():
    """Who is denied is no last resort, and the error says so."""
    deciding = agent(when_spent="cheapest")
    asked = ask(constraints=Constraints(deny=frozenset({"small"})))
    there = await taken(world(), "0.0995", deciding, ask())

    assert "large" == await model_of(deciding, asked, there)
    with pytest.raises(NoEligibleModel):
        await agent().decide(asked, there)


async def test_a_request_may_ask_for_less_than_the_policy_gives():
    """Not for more."""
    deciding, there = agent(), world()

    def asking(usd):
        return ask(constraints=Constraints(task_budget_usd=usd))

    assert 0.01 == (await deciding.decide(asking(0.01), there)).context.features["task.left_usd"]
    assert 0.1 == (await deciding.decide(asking(5.0), there)).context.features["task.left_usd"]
    with pytest.raises(BudgetExceeded):
        await deciding.decide(asking(0.0), there)


async def test_every_session_has_a_budget_of_its_own():
    """So has every policy, for the same session."""
    deciding = agent()
    one, other = (ask(headers={"x-pointsman-session-id": name}) for name in ("one", "other"))
    there = await taken(world(), "0.1", deciding, one)

    with pytest.raises(BudgetExceeded):
        await deciding.decide(one, there)
    assert "large" == await model_of(deciding, other, there)


async def test_an_answer_without_a_limit_gets_one():
    """Else nobody could say what it may cost; a limit of the client's own stands."""
    deciding, there = agent(), world()

    async def limits(asked):
        demand = (await deciding.decide(asked, there)).demand
        return demand.most_tokens, demand.completion_tokens

    assert (1000, 1000) == await limits(ask())
    assert (20, 20) == await limits(ask(max_tokens=20))


async def test_the_calls_of_a_plan_are_bounded_by_what_is_left():
    """All together; the policy's own bound holds where it is tighter."""
    deciding = agent()
    tight = ask(constraints=Constraints(max_cost_usd=0.03))

    assert 0.1 == (await deciding.decide(ask(), world())).demand.constraints.max_cost_usd
    assert 0.03 == (await deciding.decide(tight, world())).demand.constraints.max_cost_usd


async def test_money_gets_dearer_for_routers_with_a_dial_where_the_policy_says_so():
    """The same pressure as of a quota that nears its end."""
    deciding = agent(cheaper_from=0.5)
    there = await taken(world(), "0.08", deciding, ask())

    assert 1.0 < (await deciding.decide(ask(), there)).trace.pressure.price


async def test_the_dial_is_logged_as_it_was_asked_for_however_dear_money_is():
    """How dear it is stands beside it."""
    router = EstimatingRouter(Constant(), Greedy())
    task = TaskRules(Decimal("0.1"), step_tokens=1000, cheaper_from=0.5)
    deciding = decider(policy(pool=(SMALL, LARGE), router=router, stickiness=LOOSE, task=task))
    there = await taken(world(), "0.08", deciding, ask())
    routed = await deciding.decide(ask(constraints=Constraints(quality_weight=0.6)), there)
    trace = routed.trace.as_json()

    assert "w=0.6" not in routed.call.why
    assert 0.6 == trace["dial"]
    assert 1.0 < trace["pressure"]["price_of_money"]


async def test_what_steps_under_way_hold_is_not_given_twice():
    """The ledger refuses what decisions could not know of, and says that another model may do."""
    deciding, there = agent(), replace(world(), quotas=Quotas((), MemoryLedger(), longest_s=60))
    routed = await deciding.decide(ask(), there)
    await taken(there, "0.095", deciding, ask(), settled=False)

    with pytest.raises(QuotaExceeded) as refused:
        await there.quotas.reserve(routed.holder, "large", estimate(LARGE, routed.demand), NOON)
    assert ("budget_exceeded", "budget", True) == (refused.value.code, refused.value.reason, refused.value.of_model)
    assert {"x-should-retry": "false"} == refused.value.headers
    assert "0.005 USD are left" in str(refused.value)


async def test_a_session_that_was_silent_for_a_day_begins_anew():
    """Its budget is forgotten."""
    deciding = agent()
    there = await taken(world(), "0.1", deciding, ask())
    asked = ask()
    later = replace(asked, request=replace(asked.request, at=NOON + timedelta(days=1, minutes=2)))

    await there.quotas.tend(later.request.at)
    assert "large" == await model_of(deciding, later, there)


async def test_what_is_left_is_told_in_a_header():
    """Once the step has taken all that it may."""
    deciding, there = agent(), world()
    routed = await deciding.decide(ask(max_tokens=1000), there)
    await there.quotas.reserve(routed.holder, "small", Estimate(0, 2_500_000), NOON)

    assert {"x-pointsman-budget-left-usd": "0.0975"} == there.quotas.headers(routed.holder, NOON)


@given(st.decimals(0, 100, places=9), st.none() | st.floats(0, 200))
def test_no_budget_is_above_the_policys(most, asked):
    """Whatever a request asks for."""
    quota = quota_of(TaskRules(max(most, Decimal("0.000000001"))), "p", asked)

    assert 1 <= quota.amount <= max(int(most * NANO), 1)
