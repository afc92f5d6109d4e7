from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.promotion.finding import findings
from gateway.promotion.machine import (
    advance,
    begin,
    decided,
    last_standing,
    move,
    move_id,
    next_stage,
    served,
    standing_after,
)
from gateway.promotion.steering import PromotionError, promoted
from gateway.promotion.trial import trial_of
from gateway.promotion.types import Limit
from routers.sequential.evidence import Row, sums_of
from routers.sums import Sums
from tests.gateway.promotion.evidence import AT, RULES, evidence, standing


def test_a_candidate_that_fails_is_taken_back():
    """As soon as it is certain; the step tells the numbers."""
    where = standing()
    step = advance(where, evidence(where, 400, fails=(0.4, 0.0)), RULES)

    assert ("rolled_back", 0.0, "test", "worse: errors") == (step.stage.state, step.stage.share, step.by, step.why)
    test = step.evidence["tests"]["errors"]
    assert 0.3 < test["candidate"] < 0.5
    assert 0 < test["interval"][0] < test["difference"] < test["interval"][1]
    assert (400, True) == (step.evidence["requests"], test["crossed"])
    assert not step.evidence["tests"]["cost"]["crossed"]


def test_a_candidate_that_is_no_worse_moves_up():
    """Once that is certain of all measures, and not before the candidate has decided enough requests."""
    where = standing("canary", 0.1)
    enough = evidence(where, 4000)

    assert "ramp" == advance(where, enough, RULES).stage.state
    assert advance(where, enough, replace(RULES, min_requests=1000)) is None
    assert advance(where, evidence(where, 60), RULES) is None


def test_more_of_the_traffic_takes_more_certainty():
    """What lets a tenth of the traffic through does not let all of it through."""
    where = standing("canary", 0.1)
    seen = evidence(where, 1000, costs=(1.1, 1.0))
    step = advance(where, seen, RULES)

    assert "ramp" == step.stage.state
    assert advance(standing("ramp", 0.5), seen, RULES) is None


def test_what_is_tolerated_is_no_reason_to_go_back():
    """A candidate that costs a tenth more may, where that is tolerated."""
    where = standing()
    seen = evidence(where, 6000, costs=(1.1, 1.0))

    assert "worse: cost" == advance(where, seen, RULES).why
    tolerant = replace(RULES, limits=(Limit("cost", 0.2, 0.15),))
    assert "live" == advance(where, seen, tolerant).stage.state


def test_without_evidence_of_a_measure_nobody_goes_up():
    """Quality that nobody rates is not known to be good."""
    where = standing()
    rules = replace(RULES, limits=(*RULES.limits, Limit("quality", 0.1)))

    assert advance(where, evidence(where, 6000), rules) is None


def test_who_is_undecided_at_the_end_may_be_taken_back():
    """Or stays: as the configuration says."""
    where = standing()
    seen = evidence(where, 300)
    rules = replace(RULES, within=300, min_requests=1000)

    assert advance(where, seen, rules) is None
    assert "undecided after 300 requests" == advance(where, seen, replace(rules, on_end="roll_back")).why


def test_a_shadow_moves_up_when_it_has_watched_enough():
    """Unless it fails to decide."""
    where = standing("shadow", 0.0)
    watched = sums_of(Row("requests:3", n, 0.0, 0.0, 0.0, promoted=True) for n in range(20))
    failures = sums_of(
        row
        for n in range(40)
        for row in (Row("shadow:errors", n, 1.0, 1.0, 0.0, promoted=True), Row("shadow:errors", n, 0.0, 0.0, 1.0))
    )

    assert ("canary", 0.1) == (
        (step := advance(where, watched, RULES)).stage.state,
        step.stage.share,
    )
    assert "worse: errors" == advance(where, watched + failures, RULES).why


@pytest.mark.parametrize("state", ["live", "rolled_back"])
def test_who_is_not_on_trial_is_not_moved(state):
    """Neither what serves all, nor what was taken back; nor another version than that of the rules."""
    where = standing(state, 1.0 if state == "live" else 0.0)
    seen = evidence(standing(), 400, fails=(0.5, 0.0))

    assert advance(where, seen, RULES) is None
    assert advance(standing(version="next@2"), seen, RULES) is None


def test_moves_have_one_number_after_the_other():
    """Whoever makes the same move makes it under the same id; another run begins with its own number."""
    first = move(RULES, None, begin(RULES), AT)
    one = standing_after(first)
    back = move(RULES, one, promoted(RULES, one, "rolled_back", "ann", ""), AT + timedelta(hours=1))
    again = move(RULES, standing_after(back), promoted(RULES, standing_after(back), None, "ann", ""), AT)

    assert [("none", "shadow"), ("shadow", "rolled_back"), ("rolled_back", "shadow")] == [
        (one.before, one.after) for one in (first, back, again)
    ]
    assert [1, 1, 3] == [one.evidence["run"] for one in (first, back, again)]
    assert first.id == move_id("auto", 1) != back.id
    assert 8 == first.id.version
    assert standing_after(again) == last_standing([again, first, back])
    assert last_standing([]) is None
    assert standing_after(back).began == AT


def test_another_version_begins_anew():
    """Where the old one stood is only where the move came from."""
    other = replace(RULES, version="next@2")
    made = move(other, standing("live", 1.0, number=4), begin(other), AT)

    assert ("live", "shadow", 5, 5) == (made.before, made.after, made.evidence["number"], made.evidence["run"])


def test_requests_are_counted_by_stage():
    """Those of other stages count for the budget alone."""
    one, other = standing(number=3), standing(number=4)
    seen = evidence(one, 50) + evidence(other, 30)

    assert 80 == served(seen)
    assert 0 < decided(seen, other) < 30
    assert next_stage(standing("rolled_back", 0.0), RULES) is None
    assert next_stage(standing("live", 1.0), RULES) is None


@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.1, 0.5]))
@settings(max_examples=25)
def test_the_order_of_evidence_does_not_matter(seed, share):
    """Parts that come in another order, from other replicas, ask for the same step."""
    where = standing("ramp", share)
    parts = [evidence(where, 60, fails=(0.2, 0.05), seed=seed + n) for n in range(4)]
    forwards = sum(parts, start=Sums())
    backwards = sum(reversed(parts), start=Sums())

    assert advance(where, forwards, RULES) == advance(where, backwards, RULES)


class Promoting(RuleBasedStateMachine):
    """A candidate among answers good and bad, operators, and other versions."""

    @initialize()
    def begins(self):
        self.moves = [move(RULES, None, begin(RULES), AT)]
        self.sums, self.seed, self.rules = Sums(), 0, RULES

    @property
    def standing(self):
        return last_standing(self.moves)

    def take(self, step):
        before = self.standing
        made = move(self.rules, before, step, AT)
        if standing_after(made).run != before.run:
            self.sums = Sums()
        self.moves.append(made)

    @rule(count=st.sampled_from([20, 200, 1000]), failing=st.sampled_from([0.0, 0.02, 0.5]))
    def answers_come(self, count, failing):
        where = self.standing
        self.seed += 1
        if where.state == "shadow":
            rows = [Row(f"requests:{where.number}", n, 0.0, 0.0, 0.0, promoted=True) for n in range(count)]
            self.sums += sums_of(rows)
        elif where.tested:
            self.sums += evidence(where, count, fails=(failing, 0.0), seed=self.seed)

    @rule()
    def looked_at(self):
        before, step = self.standing, advance(self.standing, self.sums, self.rules)
        crossed = before.tested and any(
            finding.crossed for finding in findings(self.rules, self.sums, watching=before.state == "shadow")
        )
        if step is None:
            assert not crossed
            return
        self.take(step)
        assert crossed == (self.standing.state == "rolled_back")
        assert crossed == (self.standing.share <= before.share and self.standing.state != "live")

    @rule(to=st.sampled_from([None, "shadow", "canary", "ramp", "live", "rolled_back"]))
    def an_operator_moves(self, to):
        try:
            self.take(promoted(self.rules, self.standing, to, "ann", ""))
        except PromotionError:
            assert self.standing.state in ("shadow", "canary", "ramp", "live", "rolled_back")

    @rule()
    def another_version_comes(self):
        self.rules = replace(self.rules, version=f"next@{len(self.moves)}v")
        self.take(begin(self.rules))

    @invariant()
    def what_was_taken_back_serves_nobody(self):
        where = self.standing
        if where.state in ("rolled_back", "shadow"):
            assert {"live"} == {trial_of(self.rules, where, str(n)).side for n in range(20)}
        if where.state == "live":
            assert {"candidate"} == {trial_of(self.rules, where, str(n)).side for n in range(20)}

    @invariant()
    def every_move_is_there_once_and_follows_the_one_before(self):
        assert len(self.moves) == len({one.id for one in self.moves})
        assert list(range(1, len(self.moves) + 1)) == [one.evidence["number"] for one in self.moves]
        pairs = zip(self.moves, self.moves[1:], strict=False)
        assert all(later.before == earlier.after for earlier, later in pairs)


Promoting.TestCase.settings = settings(max_examples=25, stateful_step_count=15)
TestPromoting = Promoting.TestCase
