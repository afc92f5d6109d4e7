"""Decisions by two versions: who serves, what is noted, and that the other one breaks nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.errors import RequestRejected
from gateway.learning.rewards import RewardRules
from gateway.policy import Effect
from gateway.promotion.promotions import Promotions
from gateway.promotion.types import Stage
from gateway.route import Refusal
from gateway.rules.conditions import ALWAYS
from gateway.rules.ruleset import Rule, RuleSet
from routers.fixed import Fixed
from routers.plans.self_consistency import SelfConsistency
from routers.random_choice import RandomChoice
from routers.weighted import Weighted
from tests.gateway.promotion.evidence import RULES, standing
from tests.gateway.worlds import ask, decider, policy, pool, turns, world

POOL = pool("a", "b")


class Broken(RandomChoice):
    """A router with a defect."""

    def plan(self, *_):
        raise KeyError("a defect")


class Refusing(RandomChoice):
    """A router that refuses."""

    def plan(self, *_):
        raise RequestRejected("no")


def trying(candidate, live, state="ramp", share=0.5, **rules):
    """Return what decides by two routers, and a world in which the candidate stands there."""
    found = replace(RULES, stages=(Stage(state, share),), **rules)
    one = replace(policy("auto", POOL, live), promotion=found)
    promotions = Promotions()
    promotions.take({"auto": one}, RewardRules())
    promotions.progresses["auto"].stand(standing(state, share))
    return decider(one, policy("next", POOL, candidate)), replace(world(), promotions=promotions)


def decided(candidate, live, state="ramp", share=0.5, count=40, **rules):
    """Return the decisions on requests of as many sessions."""
    deciding, there = trying(candidate, live, state, share, **rules)
    return [asyncio.run(deciding.decide(ask("auto", f"Say {n}."), there)) for n in range(count)]


def test_each_side_is_decided_by_its_version():
    """Under the name of the policy, whoever decides; the other one's choice is noted."""
    found = decided(Fixed("a"), Fixed("b"))
    sides = {(routed.trace.promotion["side"], routed.call.candidates[0].model) for routed in found}
    others = {routed.trace.promotion["other"]["chosen"] for routed in found}

    assert {("candidate", "a"), ("live", "b")} == sides
    assert {"a", "b"} == others
    assert {"auto"} == {routed.matched.policy.name for routed in found}
    assert found[0].trace.promotion == found[0].trace.as_json()["promotion"]


def test_answers_count_by_how_likely_each_version_was_to_give_them():
    """Where models are asked alike; a weighted split that moves by a little is compared by that little."""
    found = decided(Weighted({"a": 6, "b": 4}), Weighted({"a": 5, "b": 5}))
    weights = {routed.call.candidates[0].model: routed.trace.promotion["weights"] for routed in found}

    assert [0.25 * 0.6 / 0.55, 0.25 * 0.5 / 0.55, 0.25] == pytest.approx(weights["a"])
    assert [0.25 * 0.4 / 0.45, 0.25 * 0.5 / 0.45, 0.25] == pytest.approx(weights["b"])


def test_what_continues_a_session_counts_by_side():
    """So does what is asked with another fallback: the same model is another answer then."""
    deciding, there = trying(Fixed("a"), Fixed("a"))
    later = ask("auto", messages=turns("Hello", "Hi", "And now?"))
    routed = asyncio.run(deciding.decide(later, there))

    assert 0 in routed.trace.promotion["weights"]


def test_plans_of_several_calls_count_by_side():
    """What the model that is asked first would have said decides little; what was expected of it takes out no chance."""
    found = decided(SelfConsistency(Weighted({"a": 6, "b": 4})), Weighted({"a": 5, "b": 5}))
    notes = [routed.trace.promotion for routed in found]

    assert {"candidate": [0.5, 0.0, 0.25], "live": [0.0, 0.5, 0.25]} == {
        note["side"]: note["weights"] for note in notes
    }
    assert not any("controls" in note for note in notes)


def test_a_plan_is_not_told_from_single_answers_while_it_watches():
    """Nor are single answers from a plan's: nothing of the other version is covered."""
    plan = SelfConsistency(Fixed("a"))
    notes = [
        decided(candidate, live, "shadow", 0.0, count=1)[0].trace.promotion
        for candidate, live in ((plan, Fixed("a")), (Fixed("a"), plan))
    ]
    assert [{"covered": 0.0}] * 2 == [{k: v for k, v in note.items() if k in ("covered", "weights")} for note in notes]


def test_a_sample_of_none_is_not_compared():
    """Then only the side is known."""
    notes = [routed.trace.promotion for routed in decided(Fixed("a"), Fixed("a"), sample=0.0)]

    assert not any("other" in note for note in notes)
    assert all(0 in note["weights"] for note in notes)


def test_a_candidate_with_a_defect_is_stood_in_for():
    """The client is answered by the live version, and the candidate has failed."""
    found = decided(Broken(), Fixed("b"))
    notes = [routed.trace.promotion for routed in found]

    assert {"b"} == {routed.call.candidates[0].model for routed in found}
    assert {("candidate", True, None), ("live", None, "KeyError")} == {
        (note["side"], note.get("failed"), note.get("other_failed")) for note in notes
    }


def test_a_refusal_is_the_versions_own():
    """It reaches the client, and is noted; where the other version would have refused, nobody notices."""
    deciding, there = trying(Refusing(), Fixed("b"))
    refused = []
    for n in range(20):
        try:
            asyncio.run(deciding.decide(ask("auto", f"Say {n}."), there))
        except RequestRejected as error:
            refused.append(error.trace.promotion["side"])

    assert {"candidate"} == set(refused)
    assert len(refused) < 20


def test_a_policy_that_refuses_by_a_rule_counts_against_its_version():
    """The promotions are told, since no log is."""
    effect = Effect(Refusal("no"))
    deciding, there = trying(Fixed("a"), Fixed("b"), share=0.99)
    policies = deciding.policies.policies
    rules = RuleSet((Rule("never", 0, ALWAYS, effect),))
    deciding.policies = replace(
        deciding.policies, policies={**policies, "next": replace(policies["next"], rules=rules)}
    )
    with pytest.raises(RequestRejected) as caught:
        asyncio.run(deciding.decide(ask("auto"), there))
    there.promotions.refused("auto", caught.value.trace)

    assert there.promotions.progresses["auto"].sums["errors:totals"].tolist()[:2] == [1, 0]


@pytest.mark.parametrize(
    ("state", "share", "model"), [("shadow", 0.0, "b"), ("live", 1.0, "a"), ("rolled_back", 0.0, "b")]
)
def test_at_the_ends_one_version_serves_all(state, share, model):
    """And only a shadow is compared."""
    found = decided(Fixed("a"), Fixed("b"), state, share, count=10)

    assert {model} == {routed.call.candidates[0].model for routed in found}
    assert (state == "shadow") == ("other" in found[0].trace.promotion)


def test_a_shadow_is_weighed_by_what_the_live_policy_might_have_done():
    """What it never does is not covered."""
    watching = decided(Weighted({"a": 1, "b": 3}), RandomChoice(), "shadow", 0.0)[0].trace.promotion
    blind = decided(Weighted({"a": 1, "b": 3}), Fixed("a"), "shadow", 0.0)[0].trace.promotion

    assert (1.0, 0.25) == (watching["covered"], blind["covered"])
    assert watching["weights"][0] in (0.5, 1.5)
