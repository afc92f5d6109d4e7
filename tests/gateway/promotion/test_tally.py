from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.learning.rewards import RewardRules
from gateway.promotion.rows import rows_of
from gateway.promotion.tally import Tally
from routers.sequential.contrast import Contrast
from routers.sequential.evidence import sums_of
from tests.gateway.promotion.evidence import logged, noted, without_outcome

REWARDS = RewardRules()


def rows(event, run=1):
    return {row.measure: row for row in rows_of(event, run, REWARDS)}


def test_a_request_tells_of_all_that_is_known():
    """Errors, cost in thousandths of a dollar, latency, and quality by feedback."""
    found = rows(logged(note=noted(controls={"cost": [0.001, 0.0]}), scores=[0.75]))

    assert {"requests:3", "errors", "cost", "latency", "quality"} == found.keys()
    assert (0.0, 2.0, 0.75, 0.5) == tuple(found[name].value for name in ("errors", "cost", "quality", "latency"))
    assert {7} == {row.cluster for row in found.values()}
    assert (0.5, 0.0, 0.25) == (found["cost"].candidate, found["cost"].live, found["cost"].overlap)
    assert (1.0, 0.0) == found["cost"].controls
    assert all(row.promoted for row in found.values())


def test_a_request_that_failed_says_so():
    """A client that left, and a gateway that stopped, say nothing of who answered."""
    assert 1.0 == rows(logged(note=noted(), error="server_error", cost=None, served_by=None))["errors"].value
    assert "errors" not in rows(logged(note=noted(), error="client_left"))
    assert "latency" not in rows(logged(note=noted(), error="client_left"))


def test_a_candidate_that_could_not_decide_has_failed():
    """What the live version then answered is not to its credit."""
    found = rows(logged(note=noted(failed=True), scores=[1.0]))

    assert {"requests:3", "errors"} == found.keys()
    assert 1.0 == found["errors"].value


def test_what_is_not_on_trial_tells_nothing():
    """Nor a request of another run, or under way."""
    event = logged(note=noted())

    assert {} == rows(logged())
    assert {} == rows(event, run=2)
    assert {} == rows(without_outcome(event))
    assert {"requests:3"} == rows(logged(note={k: v for k, v in noted().items() if k != "weights"})).keys()


def test_who_watches_is_judged_by_what_was_covered():
    """The evidence of a shadow is kept apart; where it fails to decide, that is an error of its own."""
    watched = noted("live", "shadow", other={"chosen": "a"}, covered=1.0, weights=[0.5, 1.0, 1.0])
    found = rows(logged(note=watched, scores=[1.0]))
    names = {"requests:3", "shadow:covered", "shadow:errors", "shadow:cost", "shadow:latency", "shadow:quality"}
    failed = {k: v for k, v in noted("live", "shadow", other_failed="KeyError").items() if k != "weights"}
    errors = [row for row in rows_of(logged(note=failed), 1, REWARDS) if row.measure == "shadow:errors"]

    assert names == found.keys()
    assert found["requests:3"].promoted
    assert [(1.0, 1.0, 0.0), (0.0, 0.0, 1.0)] == [(row.value, row.candidate, row.live) for row in errors]


@given(st.lists(st.tuples(st.integers(1, 5), st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=2)), max_size=12))
def test_every_request_counts_once_as_it_was_heard_of_last(heard):
    """However often, and in whatever order: the sums are those of the last word on each."""
    tally, last = Tally(1, REWARDS), {}
    for number, scores in heard:
        last[number] = logged(number, noted(), scores=scores)
        tally.count(last[number])

    assert sums_of(row for event in last.values() for row in rows_of(event, 1, REWARDS)) == tally.sums


def test_feedback_that_is_erased_is_taken_out():
    """And what it said leaves no trace in the sums."""
    tally = Tally(1, REWARDS)
    tally.count(logged(1, noted(), scores=[0.25]))
    assert 0.25 == Contrast.of(tally.sums, "quality").candidate
    tally.count(logged(1, noted()))

    assert 0 == Contrast.of(tally.sums, "quality").promoted
    assert 1 == Contrast.of(tally.sums, "errors").promoted


def test_what_is_said_of_old_requests_comes_too_late():
    """Memory is bounded; nothing is counted twice for that."""
    tally = Tally(1, REWARDS, kept=3)
    for number in range(1, 9):
        tally.count(logged(number, noted()))
    before = tally.sums
    tally.count(logged(1, noted(), scores=[1.0]))

    assert before == tally.sums
    assert (False, True) == (tally.knows(logged(1).decision.id), tally.knows(logged(8).decision.id))
    tally.count(logged(8, noted(), scores=[1.0]))
    assert 1.0 == pytest.approx(Contrast.of(tally.sums, "quality").candidate)
