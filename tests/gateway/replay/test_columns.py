from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from gateway.redeciding.redecided import Choice, Rejected, Untold
from gateway.replay.columns import ALONE, BEGINNING, OF_REFUSED, columns_of, missing_of
from gateway.replay.document import About, document
from gateway.replay.origins import origins_of
from gateway.replay.report import report_of
from gateway.replay.request import Made, Request
from gateway.replay.settings import Settings
from routers.evaluation.off_policy.dr import dr
from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.overlap import overlap
from routers.evaluation.off_policy.snips import snips
from tests.gateway.replay.logs import START

EVEN = {"small": 0.5, "large": 0.5}


def choice(**propensities) -> Made:
    return Made(Choice(None, propensities, {}, {}, {}), holds=True)


def request(number=0, chosen="small", **changes) -> Request:
    """Return a request whose small answers are worth 0.4, and whose large ones 0.8."""
    made = {
        "at": START + timedelta(minutes=number),
        "chosen": chosen,
        "served": chosen,
        "propensities": EVEN,
        "rule": None,
        "caller": "",
        "session": f"s{number}",
        "held": False,
        "kept": False,
        "embedding": None,
        "tokens": 100.0,
        "values": {"quality": {"small": 0.4}.get(chosen, 0.8), "cost": 1.0, "latency": 1.0, "errors": 0.0},
        "trust": 1.0,
        "sampled": math.nan,
        "made": (choice(small=0.0, large=1.0),),
        **changes,
    }
    return Request(**made)


def held(number, chosen, session, **changes) -> Request:
    """Return a later request of a session, in a loop of tools."""
    return request(number, chosen, session=session, held=True, kept=True, propensities={chosen: 1.0}, **changes)


def columns(requests, clusters="session"):
    return columns_of(requests, missing_of(requests), clusters)


def test_a_log_becomes_columns():
    """Models in order of their names; distributions as they were logged, and as the policy has them."""
    found = columns([request(0, "small"), request(1, "large")])

    assert ("large", "small") == found.models
    assert [[0.5, 0.5]] * 2 == found.log.probabilities.tolist()
    assert [1, 0] == found.log.actions.tolist()
    assert [[1.0, 0.0]] * 2 == found.policies[0].target.tolist()
    assert 0.8 == pytest.approx(snips(found.sample("quality", found.policies[0])).value)
    assert 0.6 == pytest.approx(ips(found.sample("quality", found.ran)).value)


def test_what_cannot_be_told_is_left_out_and_named():
    """It is not guessed."""
    untold = request(1, made=(Made(Untold(frozenset({"embedding"})), holds=True),))
    requests = [request(0), untold]

    assert [frozenset(), {"embedding"}] == missing_of(requests)
    assert [0] == columns(requests).kept.tolist()


def test_what_a_plan_came_to_is_no_evidence_for_a_single_model():
    """Neither what one has answered, nor what one would answer: the log has one outcome of all its calls."""
    planned = Made(Choice(None, EVEN, {}, {}, {}, planned=True), holds=True)
    requests = [request(0), request(1, planned=True), request(2, made=(planned,)), held(3, "small", "s1")]

    assert [frozenset(), {ALONE}, {ALONE}, {ALONE}] == missing_of(requests)


def test_a_refused_request_earns_nothing_and_has_failed():
    """All of that is known, whoever answered in the log."""
    refused = request(1, "large", made=(Made(Rejected("no", "rejected_by_policy"), holds=True),))
    found = columns([request(0, "large", made=(choice(large=1.0),), propensities={"large": 1.0}), refused])
    values = {name: dr(found.sample(name, found.policies[0])).value for name in OF_REFUSED}

    assert {"quality": 0.4, "cost": 0.5, "latency": 0.5, "errors": 0.5} == pytest.approx(values)
    assert 0.0 == overlap(found.sample("cost", found.policies[0])).unsupported


def test_a_request_that_kept_a_model_goes_by_the_decision_that_chose_it():
    """The session that began with the large model has weight two all along; the other has none."""
    requests = [
        request(0, "large", session="a"),
        request(1, "small", session="b"),
        held(2, "large", "a"),
        held(3, "small", "b"),
    ]
    found = columns(requests)
    drawn = found.sample("quality", found.policies[0])

    assert [0, 1, 0, 1] == origins_of(requests)
    assert [2.0, 0.0, 2.0, 0.0] == drawn.weights.tolist()
    assert 0.0 == overlap(drawn).unsupported
    assert 2 == len(set(found.log.clusters.tolist()))


def test_a_fallback_that_answered_is_kept_by_the_session():
    """The later request owes its model to the decision that led to it."""
    requests = [request(0, "large", served="small", session="a"), held(1, "small", "a")]

    assert [0, 0] == origins_of(requests)


def test_a_session_that_began_before_the_log_cannot_be_told():
    """Nobody knows how likely it was."""
    assert [{BEGINNING}] == missing_of([held(0, "large", "a")])
    assert [{BEGINNING}] == missing_of([held(0, "large", None)])


def test_sessions_of_two_callers_are_two():
    """Whatever they call them."""
    requests = [request(0, "large", session="a", caller="ann"), held(1, "large", "a", caller="bob")]

    assert [0, None] == origins_of(requests)


def test_a_policy_that_keeps_no_model_goes_by_its_own_decision():
    """Where the log had no choice, that is no evidence for another."""
    free = (Made(Choice(None, {"small": 1.0, "large": 0.0}, {}, {}, {}), holds=False),)
    found = columns([request(0, "large", session="a"), held(1, "large", "a", made=free)])

    assert 0.5 == overlap(found.sample("quality", found.policies[0])).unsupported


@pytest.mark.parametrize(("clusters", "count"), [("session", 3), ("caller", 2), ("none", 4)])
def test_requests_depend_on_each_other_as_asked(clusters, count):
    """By session, by caller, or not at all."""
    requests = [
        request(0, session="a", caller="ann"),
        request(1, session="a", caller="ann"),
        request(2, session="b", caller="ann"),
        request(3, session=None, caller=""),
    ]

    assert count == len(set(columns(requests, clusters).log.clusters.tolist()))


def test_embeddings_of_another_length_count_as_none():
    """Most are of one encoder; those of an earlier one do not compare."""
    one, other = np.ones(4, np.float32), np.ones(7, np.float32)
    found = columns([request(0, embedding=one), request(1, embedding=one), request(2, embedding=other), request(3)])

    assert [True, True, False, False] == found.log.embeddings.any(axis=1).tolist()


def test_what_judges_were_asked_by_lot_counts_by_the_lot():
    """However far they are trusted; where somebody else has rated as well, the lot does not say it all."""
    judged = [request(0, trust=0.5, sampled=0.25), request(1, trust=0.5, sampled=0.5)]
    both = [*judged, request(2)]

    assert [4.0, 2.0] == columns(judged).quantities["quality"].seen.tolist()
    assert [4.0, 2.0] != columns(both).quantities["quality"].seen.tolist()[:2]


@pytest.mark.parametrize(("every", "told"), [(4, {}), (8, {"large": 0.5, "small": 0.5})])
def test_lots_after_which_nobody_judged_are_found_out(every, told):
    """Of a lot of a quarter every fourth answer is judged, or one in eight, which a report says; the mean is the same."""
    requests = [
        request(number, chosen, sampled=0.25)
        if number % every < 1
        else request(number, chosen, values={"quality": math.nan, "cost": 1.0, "latency": 1.0, "errors": 0.0})
        for number in range(400)
        for chosen in ("small", "large")
    ]
    found = report_of(requests, Settings(), baseline=False)
    kept = columns(requests)
    about = About([], START, "log.db", "policy.yaml", "ran")
    said = " ".join(document(found, about, Settings(), [], "met", [])["assumptions"])

    assert told == found.judged
    assert bool(told) == ("of each model about large 50%, small 50%" in said)
    assert 0.6 == pytest.approx(ips(kept.sample("quality", kept.ran)).value)


def test_trust_is_about_quality_alone():
    """A cost is what it is."""
    requests = [replace(request(number, "small"), trust=0.5 if number % 2 else 1.0) for number in range(40)]
    found = columns(requests)

    seen = found.quantities["quality"].seen
    assert 0.5 == pytest.approx(seen[1::2].mean() / seen[::2].mean(), rel=0.1)
    assert {1.0} == set(found.quantities["cost"].seen.tolist())
