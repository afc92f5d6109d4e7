from __future__ import annotations

import json
import time

from gateway.api.completions import MAX_HEADER, trace_header
from gateway.constraints import Constraints
from gateway.data_class import DataClassRules
from gateway.eligibility import Ability
from gateway.explanation import explain
from gateway.policy import Effect
from gateway.rules.parse import parse_condition
from gateway.rules.projections import parse_projections
from gateway.rules.ruleset import Rule, RuleSet
from gateway.signals.base import Kind
from gateway.trace import MAX_RULES
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.rules.greedy import Greedy
from tests.gateway.worlds import CARD, ask, decider, policy, pool, turns, world

KNOWN = {"text": Kind.TEXT, "turns": Kind.NUMBER, "prompt_tokens": Kind.NUMBER, "domain": Kind.TEXT}
SECRET = "a-word-that-nobody-may-see"


def rules(route, *conditions):
    return RuleSet(Rule(f"r{n}", 0, parse_condition(when, KNOWN), Effect(route)) for n, when in enumerate(conditions))


async def trace(*, every_rule=False, text="Say hello.", **options):
    """Return the trace of a decision as plain values, once through JSON."""
    clearances = {"a": Ability(clearance="restricted"), "b": Ability()}
    main = policy(pool=pool("a", "b"), **options)
    deciding = decider(main, abilities=clearances, classes=DataClassRules(by_pii={"card": "internal"}))
    routed = await deciding.decide(ask(text=text), world())
    return json.loads(json.dumps(routed.trace.as_json(every_rule=every_rule)))


async def test_a_trace_says_how_it_came_to_a_decision():
    """Rules with their reasons, the class, who was removed and why, and how long each stage took."""
    to = policy(pool=pool("a", "b")).route
    found = await trace(
        text=CARD,
        rules=rules(to, {"turns": {"above": 5}}, {"domain": "code"}, {"prompt_tokens": {"above": 1}}, {"turns": 1}),
    )

    assert ("p", "r2", None) == (found["policy"], found["rule"], found["tag"])
    assert [("r0", False), ("r1", None), ("r2", True)] == [(one["rule"], one["holds"]) for one in found["rules"]]
    assert "turns is 1, not above 5" == found["rules"][0]["because"]
    assert {"name": "internal", "because": ["pii: card"]} == found["data_class"]
    assert {"b": "data class: the request is internal, the model is cleared for the lowest class"} == found["removed"]
    assert {"signals", "rules", "eligibility", "route"} == {*found["stage_ms"]}
    assert {"agent", "context", "length", "needs", "pii", "session"} <= {*found["signal_ms"]}
    assert all(value >= 0 for value in (*found["stage_ms"].values(), *found["signal_ms"].values()))


async def test_rules_whose_turn_did_not_come_are_there_on_demand():
    """They say what they would have said."""
    options = {"rules": rules(policy(pool=pool("a")).route, {"turns": 1}, {"turns": 2})}

    assert [("r0", True)] == [(one["rule"], one["reached"]) for one in (await trace(**options))["rules"]]
    found = await trace(**options, every_rule=True)
    assert [("r0", True, True), ("r1", False, False)] == [
        (one["rule"], one["reached"], one["holds"]) for one in found["rules"]
    ]


async def test_the_last_of_many_rules_are_shown():
    """The one that matched is always among them."""
    many = rules(policy(pool=pool("a")).route, *[{"turns": 9}] * (MAX_RULES + 20), {"turns": 1})
    found = await trace(rules=many)

    assert MAX_RULES == len(found["rules"])
    assert found["rule"] == found["rules"][-1]["rule"]


async def test_no_word_of_the_user_is_in_a_trace():
    """Neither as a signal, nor as a reason of a rule that asks for it, whether it holds or not."""
    asked = [
        {"text": {"contains": "no such thing"}},
        {"not": {"text": {"matches": "nobody-m.y"}}},
        {"text": {"starts_with": "a"}},
    ]
    for conditions in (asked, asked[:1]):
        found = await trace(text=SECRET, rules=rules(policy(pool=pool("a")).route, *conditions), every_rule=True)
        assert SECRET not in json.dumps(found)
        assert "text" not in found["signals"] | found["projections"]


async def test_what_was_made_of_signals_is_shown_apart():
    """Projections and defaults are told from what was found."""
    written = {"long": {"score": {"prompt_tokens": 1}}}
    projections = parse_projections(written, KNOWN)
    found = await trace(projections=projections, defaults={"domain": "other", "turns": 7.0})

    assert found["signals"]["prompt_tokens"] == found["projections"]["long"]
    assert {"domain": "other"} == found["defaults"]
    assert "turns" not in found["projections"]


async def test_the_explanation_has_the_trace_for_those_who_may_see_it():
    """Others get the decision alone."""
    routed = await decider(policy(pool=pool("a", "b"))).decide(ask(), world())
    told = explain(routed, trace=True)

    assert told.pop("trace")["policy"] == "p"
    assert told == explain(routed, trace=False)
    assert {"a": 0.5, "b": 0.5} == {one["model"]: one["propensity"] for one in told["candidates"]}


def test_a_trace_that_is_too_long_for_a_header_says_so():
    """First its rules and signals go, then all of it; what is left is always ASCII and JSON."""
    short = {"rules": [], "signals": {"user": "ä" * 100}, "policy": "p"}
    assert short == json.loads(trace_header(short))
    assert trace_header(short).isascii()
    long = {"rules": ["x" * MAX_HEADER], "signals": {}, "policy": "p"}
    assert {"rules": [], "signals": {}, "policy": "p", "cut": "the log has the whole trace"} == json.loads(
        trace_header(long)
    )
    longer = {"rules": [], "signals": {}, "removed": {f"model-{n}": "x" * 100 for n in range(100)}}
    assert {"cut": "the log has the whole trace"} == json.loads(trace_header(longer))
    assert all(len(trace_header(one)) <= MAX_HEADER for one in (short, long, longer))


async def test_a_trace_is_of_one_decision():
    """What a session's last model was kept for is told, or null."""
    deciding = decider(policy(pool=pool("a", "b")))
    asked = ask(messages=turns("hello", "hi", "again"))
    there = world()
    session = (await deciding.decide(asked, there)).session
    assert (await deciding.decide(asked, there)).trace.as_json()["kept"] is None
    there.sessions.note("p", session, "b", time.monotonic())

    assert "session" == (await deciding.decide(asked, there)).trace.as_json()["kept"]


async def test_a_trace_has_the_dial_where_the_request_turned_it():
    """Null where it left that to the name and the policy; nothing is said of pressure where there is none."""
    deciding = decider(policy(pool=pool("a"), router=EstimatingRouter(Constant(), Greedy())))

    async def found(name, weight):
        asked = ask(name, constraints=Constraints(quality_weight=weight))
        return (await deciding.decide(asked, world())).trace.as_json()

    assert [0.2, 0.0, None, None] == [(await found(*one))["dial"] for one in (("p", 0.2), ("p:best", 0), ("p", None), ("p:best", None))]  # fmt: skip
    assert "pressure" not in await found("p", 0.2)
