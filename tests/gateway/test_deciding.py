from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.changes import Changes
from gateway.constraints import Constraints
from gateway.data_class import DataClassRules
from gateway.deliberation import context_of
from gateway.eligibility import Ability
from gateway.endpoints.concurrency import ConcurrencyLimit
from gateway.endpoints.endpoint import Condition
from gateway.endpoints.gate import Gate
from gateway.errors import ContextExceeded, NoEligibleModel, RequestError, RequestRejected, UnsupportedRequest
from gateway.policy import Effect
from gateway.route import Refusal
from gateway.rules.conditions import ALWAYS
from gateway.rules.ruleset import Rule, RuleSet
from gateway.signals.base import Kind
from gateway.signals.extract import Readings
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.fixed import Fixed
from routers.random_choice import RandomChoice
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.types import Candidate, Price
from tests.gateway.worlds import CARD, Known, ask, decider, endpoint, policy, pool, resting, tool_loop, turns, world

CLASSES = DataClassRules(by_pii={"card": "confidential"})
ESTIMATING = EstimatingRouter(Constant(), Floor(Greedy(), 0.3))
CLEARED = {"inside": Ability(clearance="restricted"), "outside": Ability()}


def rule(leads_to, name="r", tag=None):
    return RuleSet([Rule(name, 0, ALWAYS, Effect(leads_to, tag))])


class Noting:
    """A signal that counts how often it is read, and perhaps fails."""

    provides = {"x": Kind.NUMBER}  # noqa: RUF012 - the protocol's
    reads_embedding, blocking = False, False

    def __init__(self, name, error=None):
        self.name, self.error, self.reads = name, error, 0

    def read(self, _request, _embedding):
        self.reads += 1
        if self.error is not None:
            raise self.error
        return {self.name: 1.0}


class Wanting(RandomChoice):
    """A router that reads a signal."""

    requires = frozenset({"wanted"})


async def test_what_only_a_router_reads_is_read_only_for_it():
    """A refusal, another rule's route and a model's own name go without; what rules and data classes read is read."""
    wanted, unwanted, ruled = (Noting(name) for name in ("wanted", "unwanted", "ruled"))
    to_plain = policy(pool=pool("a")).route
    policies = [
        policy("p", pool("a"), Wanting(), signals=frozenset({"ruled"})),
        policy("refusing", pool("a"), Wanting(), rules=rule(Refusal("No."))),
        policy("elsewhere", pool("a"), Wanting(), rules=rule(to_plain)),
    ]
    deciding = decider(*policies, more=[wanted, unwanted, ruled])
    with pytest.raises(RequestRejected):
        await deciding.decide(ask("refusing"), world())
    for name in ("elsewhere", "a"):
        await deciding.decide(ask(name), world())
    assert (0, 0, 0) == (wanted.reads, unwanted.reads, ruled.reads)
    routed = await deciding.decide(ask("p"), world())

    assert (1, 0, 1) == (wanted.reads, unwanted.reads, ruled.reads)
    assert {"wanted": 1.0, "ruled": 1.0}.items() <= routed.context.features.items()


# Who is left, and what is said where nobody is.


@pytest.mark.parametrize(
    ("constraints", "text", "body", "error", "code"),
    [
        (Constraints(deny=frozenset({"outside", "inside"})), "hi", {}, NoEligibleModel, "no_eligible_model"),
        (Constraints(), "x" * 40_000, {}, ContextExceeded, "context_length_exceeded"),
        (Constraints(), "hi", {"n": 2}, UnsupportedRequest, "unsupported_input"),
        (Constraints(deny=frozenset({"outside"})), "hi", {"n": 2}, NoEligibleModel, "no_eligible_model"),
    ],
)
async def test_where_nobody_is_left_the_reasons_are_told(constraints, text, body, error, code):
    """What is wrong with the request is a 400; where somebody's word is among the reasons, it is a 403."""
    models = pool("inside", "outside", context_window=100)
    deciding = decider(policy(pool=models), abilities={m.model: Ability(frozenset()) for m in models})
    with pytest.raises(error) as caught:
        await deciding.decide(ask(text=text, constraints=constraints, **body), world())

    assert code == caught.value.code
    assert all(one.model in str(caught.value) for one in models)
    assert {"inside", "outside"} == set(caught.value.trace.removed)


async def test_a_refusal_has_the_trace_that_led_to_it():
    """Its rules and signals can be looked at."""
    deciding = decider(policy(pool=pool("a"), rules=rule(Refusal("Not here."), tag="t")))
    with pytest.raises(RequestRejected, match=r"Not here\.") as caught:
        await deciding.decide(ask(), world())

    assert ("r", "t", None) == (
        caught.value.trace.matched.rule,
        caught.value.trace.matched.tag,
        caught.value.trace.data_class,
    )
    assert {"signals", "rules"} == set(caught.value.trace.stages)


async def test_a_router_that_refuses_who_is_awake_is_asked_with_all():
    """A model that rests is better than none."""
    there = world()
    resting(there, "a")
    deciding = decider(policy(pool=pool("a", "b"), router=Fixed("a")))
    routed = await deciding.decide(ask(), there)

    assert ("a", ("a",)) == (routed.call.candidates[0].model, routed.trace.resting)


async def test_a_router_that_refuses_all_is_a_refusal():
    """Its reason is told, where no fallback stands in for the models that it knows."""
    deciding = decider(policy(pool=pool("a", "b"), router=Fixed("a"), fallback=()))
    with pytest.raises(RequestRejected, match="fixed: none of"):
        await deciding.decide(ask(constraints=Constraints(deny=frozenset({"a"}))), world())


@pytest.mark.parametrize(
    ("fallback", "answers"),
    [(None, "b"), (("c",), "c"), (("a", "c"), "c")],
    ids=["rest of pool", "named", "first left"],
)
async def test_a_fallback_stands_in_for_a_model_that_is_not_eligible(fallback, answers):
    """A router that knows that model only cannot choose; what the policy names for its failure can."""
    deciding = decider(policy(pool=pool("a", "b", "c"), router=Fixed("a"), fallback=fallback))
    routed = await deciding.decide(ask(constraints=Constraints(deny=frozenset({"a"}))), world())

    assert answers == routed.call.candidates[0].model


# What may be demanded: lengths and costs.


def priced(name="m", output="1000"):
    return (Candidate(name, Price(Decimal(0), Decimal(output))),)


@pytest.mark.parametrize(
    ("body", "cost"),
    [
        ({}, 512),
        ({"max_tokens": 10}, 10),
        ({"max_completion_tokens": 10}, 10),
        ({"max_completion_tokens": 10, "max_tokens": 300}, 300),
        ({"max_completion_tokens": 0, "max_tokens": 300}, 300),
        ({"max_tokens": -1}, 512),
        ({"max_tokens": 0}, 512),
        ({"max_tokens": True}, 512),
        ({"max_tokens": "10"}, 512),
        ({"max_tokens": 10, "n": 4}, 40),
        ({"n": 4}, 2048),
        ({"max_tokens": 10, "n": -4}, 10),
        ({"max_tokens": 10, "n": True}, 10),
    ],
)
async def test_what_an_answer_may_cost_goes_by_the_largest_reading_of_its_limits(body, cost):
    """A limit that is none does not make an answer cheap; several answers cost several times as much."""
    deciding = decider(policy(pool=priced()))  # at 0.001 USD a token
    await deciding.decide(ask(constraints=Constraints(max_cost_usd=cost / 1000), **body), world())
    with pytest.raises(NoEligibleModel, match=f"max_cost_usd: {cost / 1000:.3g} USD expected"):
        await deciding.decide(ask(constraints=Constraints(max_cost_usd=cost / 1000 - 1e-6), **body), world())


async def test_a_rule_that_limits_the_answer_makes_it_cheap():
    """What counts is the request as it is sent."""
    deciding = decider(policy(pool=priced(), changes=Changes(parameters={"max_tokens": 5})))

    assert await deciding.decide(ask(constraints=Constraints(max_cost_usd=0.005)), world())


class Late:
    """A signal by the name of another, that comes too late."""

    provides = {"x": Kind.NUMBER}  # noqa: RUF012 - the protocol's
    reads_embedding, blocking = False, True

    def __init__(self, name, gate):
        self.name, self.gate = name, gate

    def read(self, _request, _embedding):
        assert self.gate.wait(10)
        return {}


async def test_a_length_that_is_not_known_in_time_is_no_length_of_zero():
    """Windows and costs are still respected, by an estimate."""
    gate = threading.Event()
    models = (Candidate("m", Price(Decimal(1), Decimal(0)), 1000),)
    deciding = decider(policy(pool=models), more=[Late("length", gate)], deadline_s=0.05)
    text = "word " * 3000
    with pytest.raises(ContextExceeded):
        await deciding.decide(ask(text=text), world())
    with pytest.raises(NoEligibleModel, match="max_cost_usd"):
        await deciding.decide(ask(text="word " * 900, constraints=Constraints(max_cost_usd=1e-4)), world())
    gate.set()
    deciding.signals.close()


async def test_what_a_rule_adds_has_to_fit_too():
    """A tool that a rule offers needs a model that takes tools."""
    adds = Changes(parameters={"tools": [{"type": "function", "function": {"name": "f"}}]})
    deciding = decider(policy(pool=pool("m"), changes=adds), abilities={"m": Ability(frozenset())})
    with pytest.raises(UnsupportedRequest, match="it lacks tools"):
        await deciding.decide(ask(), world())


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": [PICTURE]}],
        [{"role": "user", "content": [PICTURE]}, *turns("x", "y", "z")[1:]],
    ],
)
async def test_a_picture_needs_a_model_with_eyes_also_in_the_history(messages):
    """All that goes out has to be taken in."""
    abilities = {"blind": Ability(frozenset()), "sees": Ability(frozenset({"vision"})), "unknown": Ability()}
    routed = await decider(policy(pool=pool(*abilities)), abilities=abilities).decide(ask(messages=messages), world())

    assert {"sees", "unknown"} == {one.model for one in routed.pool}


@pytest.mark.parametrize(("call_id", "left"), [("abcdEFG12", {"strict", "any"}), ("call_1", {"any"})])
async def test_ids_of_tool_calls_decide_who_can_go_on(call_id, left):
    """An endpoint that refuses them is not asked."""
    deciding = decider(policy(pool=pool("strict", "any")), abilities={"strict": Ability(tool_call_id="[A-Za-z0-9]{9}")})
    routed = await deciding.decide(ask(messages=tool_loop(call_id)), world())

    assert left == {one.model for one in routed.pool}


# Data classes.


@pytest.mark.parametrize(
    ("asked", "data_class"),
    [
        (ask(), "public"),
        (ask(text=CARD), "confidential"),
        (ask(messages=[*turns("hi", "hello", "again"), {"role": "system", "content": CARD}]), "confidential"),
        (ask(messages=turns(CARD, "thanks", "hello")), "confidential"),
        (ask(messages=tool_loop(text=CARD)), "confidential"),
        (ask(metadata={"note": "4111111111111111"}), "confidential"),
        (ask(user=CARD), "confidential"),
        (ask(extra=4111111111111111), "confidential"),
        (ask(messages=[{"role": "user", "content": [PICTURE]}]), "confidential"),
        (ask(constraints=Constraints(data_classes=frozenset({"internal"}))), "internal"),
        (ask(constraints=Constraints(data_classes=frozenset({"internal", "restricted"}))), "restricted"),
        (ask(text=CARD, constraints=Constraints(data_classes=frozenset({"public"}))), "confidential"),
    ],
)
async def test_a_request_is_classed_by_all_that_goes_out(asked, data_class):
    """Wherever it stands, and whatever anyone claims below it; then only the cleared are left."""
    routed = await decider(policy(pool=pool(*CLEARED)), abilities=CLEARED, classes=CLASSES).decide(asked, world())
    open_to_all = data_class == "public"

    assert data_class == routed.trace.data_class[0]
    assert ({"inside", "outside"} if open_to_all else {"inside"}) == {one.model for one in routed.pool}
    assert (frozenset() if open_to_all else {"outside"}) == routed.forbidden


async def test_the_policys_class_and_those_of_policies_it_leads_to_count():
    """Each policy on the way binds."""
    inner = policy("inner", pool(*CLEARED), data_class="internal")
    outer = policy("outer", pool(*CLEARED), rules=rule(inner), data_class="confidential")
    for strict, lax in ((inner, outer), (outer, inner)):
        deciding = decider(strict, lax, abilities=CLEARED, classes=CLASSES)
        routed = await deciding.decide(ask("outer"), world())
        assert "confidential" == routed.trace.data_class[0]


async def test_personal_data_that_was_not_looked_for_in_time_counts_as_found():
    """The signal `pii` missed its deadline: only the cleared may answer."""
    deciding = decider(policy(pool=pool(*CLEARED)), abilities=CLEARED, classes=CLASSES, deadline_s=0.0)
    routed = await deciding.decide(ask(), world())

    assert {"pii"} <= routed.trace.readings.missed
    assert ["inside"] == [one.model for one in routed.pool]


async def test_personal_data_that_could_not_be_looked_for_counts_as_found(caplog):
    """The signal `pii` failed: only the cleared may answer."""
    more = [Noting("pii", error=ArithmeticError("broken"))]
    deciding = decider(policy(pool=pool(*CLEARED)), abilities=CLEARED, classes=CLASSES, more=more)
    routed = await deciding.decide(ask(), world())

    assert ({"pii"}, "confidential") == (routed.trace.readings.missed, routed.trace.data_class[0])
    assert ["inside"] == [one.model for one in routed.pool]
    assert ["signal.failed"] == [record.getMessage() for record in caplog.records]


async def test_a_models_own_name_opens_no_door():
    """Who is not cleared is not asked, however it is called."""
    deciding = decider(policy(pool=pool(*CLEARED)), abilities=CLEARED, classes=CLASSES)
    with pytest.raises(NoEligibleModel, match="data class"):
        await deciding.decide(ask("outside", CARD), world())

    assert "inside" == (await deciding.decide(ask("inside", CARD), world())).call.candidates[0].model


# The dial.


async def test_the_caller_turns_the_dial_within_the_policys_bounds():
    """A header or a member of the body counts before the name, and cannot leave the bounds either."""
    bounded = policy(pool=pool("a"), router=ESTIMATING, dial=(0.2, 0.6))
    deciding = decider(bounded)

    async def why(name, weight=None):
        return (await deciding.decide(ask(name, constraints=Constraints(quality_weight=weight)), world())).call.why

    assert "w=0.3" in await why("p:0.3")
    assert "w=0.5" in await why("p:0.3", 0.5)
    assert "w=0.7" in await why("p")
    for name, weight in (("p:best", None), ("p", 0.7), ("p:0.3", 0.1), ("p:cheap", None)):
        with pytest.raises(RequestError) as caught:
            await why(name, weight)
        assert ("invalid_dial", "model") == (caught.value.code, caught.value.param)


# What routers see.


def test_a_context_says_what_was_missed():
    """Signals that are absent are told from those that nobody wanted."""
    readings = Readings(features={"prompt_tokens": 7.0}, missed={"pii", "domain"})

    assert (7, {"prompt_tokens": 7.0, "missed": ("domain", "pii")}) == (
        context_of("hi", readings).prompt_tokens,
        dict(context_of("hi", readings).features),
    )
    assert (0, {}) == (context_of("hi", Readings()).prompt_tokens, dict(context_of("hi", Readings()).features))


@pytest.mark.parametrize(("least", "chosen"), [(None, "weak"), (0.2, "weak"), (0.5, "strong")])
async def test_under_load_quality_gives_way_as_far_as_the_policy_says(least, chosen):
    """The strong model has no room: the weak one stands in, unless it is expected to be too poor."""
    there = world()
    there.fleet.take(
        {"strong": (endpoint("strong"),), "weak": (endpoint("weak"),)},
        {"strong": Condition(gate=Gate(ConcurrencyLimit(most=1))), "weak": Condition()},
    )
    there.fleet.condition("strong").gate.enter()
    router = EstimatingRouter(Known(strong=0.9, weak=0.3), Greedy())
    deciding = decider(replace(policy(pool=pool("strong", "weak"), router=router), least_reward=least))
    routed = await deciding.decide(ask(), there)

    assert (chosen, ("strong",)) == (routed.call.candidates[0].model, routed.trace.resting)
