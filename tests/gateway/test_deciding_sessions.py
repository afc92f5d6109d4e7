from __future__ import annotations

import asyncio
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.constraints import Constraints
from gateway.data_class import DataClassRules
from gateway.eligibility import Ability
from gateway.policy import Effect, Stickiness
from gateway.rules.conditions import ALWAYS
from gateway.rules.ruleset import Rule, RuleSet
from gateway.signals.base import Caller
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.fixed import Fixed
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.types import Candidate, Price
from routers.weighted import Weighted
from tests.gateway.worlds import CARD, Known, ask, decider, policy, pool, resting, tool_loop, turns, world

CLASSES = DataClassRules(by_pii={"card": "confidential"})


async def models_over(decider, asked, world, draws=40):
    """Return who is chosen over many draws."""
    return {(await decider.decide(asked, world)).call.candidates[0].model for _ in range(draws)}


def rule(leads_to, name="r", tag=None):
    return RuleSet([Rule(name, 0, ALWAYS, Effect(leads_to, tag))])


def noted(there, session, model="a", policy="p", ago_s=0.0):
    there.sessions.note(policy, session, model, time.monotonic() - ago_s)
    return there


async def session_of(deciding, asked):
    return (await deciding.decide(asked, world())).session


STAYED = turns("hello", "hi", "and now?")
ESTIMATING = EstimatingRouter(Constant(), Floor(Greedy(), 0.3))


@pytest.mark.parametrize("router", [None, Weighted({"a": 1, "b": 99}), ESTIMATING, Fixed("b")])
async def test_a_loop_of_tools_keeps_its_model(router):
    """Whoever called the tools reads their results, whatever the router would draw, and however long they took."""
    deciding = decider(policy(pool=pool("a", "b"), router=router, stickiness=Stickiness(session=False)))
    asked = ask(messages=tool_loop())
    there = noted(world(), await session_of(deciding, asked), ago_s=3600)

    assert {"a"} == await models_over(deciding, asked, there)
    routed = await deciding.decide(asked, there)
    assert ({"a": 1.0, "b": 0.0}, "tool_loop", "tool_loop") == (
        dict(routed.call.propensities),
        routed.call.why,
        routed.trace.kept,
    )


@pytest.mark.parametrize("router", [None, Weighted({"a": 1, "b": 99}), ESTIMATING])
async def test_chance_does_not_change_the_model_within_a_session(router):
    """A session stays where nothing is gained by leaving, until it has been silent for long."""
    deciding = decider(policy(pool=pool("a", "b"), router=router, stickiness=Stickiness(idle_s=60)))
    asked = ask(messages=STAYED)
    session = await session_of(deciding, asked)

    assert {"a"} == await models_over(deciding, asked, noted(world(), session))
    assert {"a", "b"} == await models_over(deciding, asked, noted(world(), session, ago_s=61), draws=200)
    off = decider(policy(pool=pool("a", "b"), router=router, stickiness=Stickiness(tool_loop=False, session=False)))
    assert {"a", "b"} == await models_over(off, asked, noted(world(), session), draws=200)


@pytest.mark.parametrize(
    ("constraints", "asked"),
    [
        (Constraints(deny=frozenset({"a"})), {"messages": STAYED}),
        (Constraints(deny=frozenset({"a"})), {"messages": tool_loop()}),
        (Constraints(), {"messages": tool_loop(text=CARD)}),
        (Constraints(), {"messages": turns("hello", "hi", CARD)}),
        (Constraints(), {"messages": tool_loop(), "n": 2}),
    ],
)
async def test_an_incumbent_that_may_not_or_cannot_answer_any_more_is_left(constraints, asked):
    """What was allowed on an earlier turn says nothing of this one."""
    abilities = {"a": Ability(frozenset({"tools"})), "b": Ability(clearance="restricted")}
    deciding = decider(policy(pool=pool("a", "b")), abilities=abilities, classes=CLASSES)
    request = ask(constraints=constraints, **asked)
    there = noted(world(), await session_of(deciding, request))

    assert {"b"} == await models_over(deciding, request, there)
    assert (await deciding.decide(request, there)).trace.kept is None


@pytest.mark.parametrize("messages", [STAYED, tool_loop()])
async def test_an_incumbent_that_rests_is_left(messages):
    """Its failure is a better reason than its cache."""
    deciding = decider(policy(pool=pool("a", "b")))
    asked = ask(messages=messages)
    there = noted(world(), await session_of(deciding, asked))
    resting(there, "a")

    assert {"b"} == await models_over(deciding, asked, there)


async def test_a_pool_that_a_rule_names_wins():
    """An incumbent that is not in it is not kept."""
    to_b = policy(pool=pool("b", "c")).route
    deciding = decider(policy(pool=pool("a", "b"), rules=rule(to_b)))
    asked = ask(messages=tool_loop())

    assert {"b", "c"} == await models_over(deciding, asked, noted(world(), await session_of(deciding, asked)))


async def test_two_policies_two_conversations_and_two_callers_share_no_session():
    """Each remembers its own."""
    deciding = decider(policy(pool=pool("a", "b")), policy("q", pool("a", "b")))
    asked, another = ask(messages=STAYED), ask(messages=turns("bonjour", "hi", "and now?"))
    there = noted(world(), await session_of(deciding, asked))
    again = await deciding.decide(ask("q", messages=STAYED), there)
    foreign = ask(messages=STAYED, caller=Caller("bob"))

    assert "session" == (await deciding.decide(asked, there)).trace.kept
    assert again.trace.kept is None
    assert (await deciding.decide(another, there)).trace.kept is None
    assert (await deciding.decide(foreign, there)).trace.kept is None
    named = {"headers": {"x-session-id": "1"}}
    mine, theirs = (ask(caller=Caller(name), **named) for name in ("alice", "bob"))
    assert await session_of(deciding, mine) != await session_of(deciding, theirs)


CACHED = tuple(Candidate(name, Price(Decimal(10), Decimal(0), Decimal(1))) for name in ("a", "b"))


@pytest.mark.parametrize(("times", "model", "kept"), [(0.95, "a", "session"), (1.05, "b", None)])
async def test_a_session_changes_only_for_more_than_its_cache_saves(times, model, kept):
    """`b` answers better by a little less, or a little more, than what `a` saves by its cache.

    `a` saves nine tenths of the history's price. An average prompt has 256 tokens, so that the history's tokens
    cost `history / 256` of what one costs; at a dial of 0.8 that much is worth a quarter of a reward.
    """
    asked = ask(messages=turns("word " * 60, "word " * 60, "and now?"))
    history = (await decider(policy(pool=CACHED)).decide(asked, world())).context.features["history_tokens"]
    gain = times * 0.25 * 0.9 * history / 256
    assert 0.05 < gain < 0.6
    router = EstimatingRouter(Known(a=0.3, b=0.3 + gain), Greedy(), quality_weight=0.8)
    deciding = decider(policy(pool=CACHED, router=router))
    there = noted(world(), await session_of(deciding, asked))
    alone, routed = await deciding.decide(asked, world()), await deciding.decide(asked, there)

    assert "b" == alone.call.candidates[0].model
    assert (model, kept) == (routed.call.candidates[0].model, routed.trace.kept)
    saved = alone.call.expected_cost_usd["a"] - routed.call.expected_cost_usd["a"]
    assert 9e-6 * history == pytest.approx(saved)


# What is logged.


@settings(max_examples=60)
@given(
    st.sampled_from([None, Weighted({"a": 1, "b": 2, "c": 0}), ESTIMATING]),
    st.sampled_from([None, "a", "c", "gone"]),
    st.frozensets(st.sampled_from(["a", "b"]), max_size=1),
    st.sampled_from([STAYED, tool_loop(), turns("hi")]),
    st.integers(0, 1000),
)
def test_propensities_are_a_distribution_over_those_that_are_eligible(router, last, denied, messages, seed):
    """Also where a session's model is kept, whose choice is certain; and what is drawn has a chance."""
    deciding = decider(policy(pool=pool("a", "b", "c"), router=router))
    asked = ask(messages=messages, constraints=Constraints(deny=denied))
    there = world(seed)
    if last is not None:
        noted(there, asyncio.run(session_of(deciding, asked)), last)
    routed = asyncio.run(deciding.decide(asked, there))
    propensities = routed.call.propensities

    assert {"a", "b", "c"} - denied == {one.model for one in routed.pool} == set(propensities)
    assert 1 == pytest.approx(sum(propensities.values()))
    assert propensities[routed.call.candidates[0].model] > 0
    assert routed.trace.kept != "tool_loop" or propensities[last] == 1


@pytest.mark.parametrize("router", [Weighted({"a": 1, "b": 3}), ESTIMATING])
@pytest.mark.parametrize("messages", [turns("hi"), STAYED])
async def test_the_distribution_that_is_logged_is_the_one_that_was_drawn_from(router, messages):
    """Over a thousand draws, each model comes as often as it was said to."""
    deciding = decider(policy(pool=pool("a", "b"), router=router))
    asked, there = ask(messages=messages), world(7)
    routed = [await deciding.decide(asked, there) for _ in range(1000)]
    (logged,) = {tuple(sorted(one.call.propensities.items())) for one in routed}
    drawn = sum(one.call.candidates[0].model == "a" for one in routed) / 1000

    assert dict(logged)["a"] == pytest.approx(drawn, abs=0.05)
