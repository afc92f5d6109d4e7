from __future__ import annotations

import math

import pytest

from gateway.config.files import read_files
from gateway.config.sides import open_side
from gateway.learning.rewards import RewardRules
from gateway.redeciding.redecided import Choice, Rejected
from gateway.replay.request import requests_of
from gateway.store.base import LoggedEvent
from gateway.store.checks import build_decision, build_feedback, build_outcome
from tests.gateway.replay.logs import TRACE, write_gateway, write_policy

FEATURES = {"prompt_tokens": 100.0, "length.exact": False, "needs": (), "session": "s"}


@pytest.fixture
def side(tmp_path):
    return open_side(read_files(write_gateway(tmp_path), {}), None)


def request(by, *, outcome=True, feedback=(), trace=None, **changes):
    """Return one logged request as a replay sees it."""
    made = {"features": FEATURES, "text": None, "embedding": None, **changes}
    decision = build_decision(1, trace={**TRACE, **(trace or {})}, **made)
    of = LoggedEvent(decision, build_outcome(1, **outcome) if isinstance(outcome, dict) else None, tuple(feedback))
    return next(requests_of([of], [by], RewardRules()))


def test_what_came_of_it_is_known_or_nan(side):
    """A failure says nothing of latency; one that the client caused says nothing of the model."""
    good = request(side, outcome={}, feedback=[build_feedback("f", 1, kind="score", value=0.25, source="user")])
    failed = request(side, outcome={"error": "timeout", "cost_usd": None})
    left = request(side, outcome={"error": "client_left"})
    waiting = request(side, outcome=None)

    assert {"quality": 0.25, "cost": 1.234e-5, "latency": 1.5, "errors": 0.0} == good.values
    assert ("large", 1.0) == (good.served, good.trust)
    assert 1.0 == failed.values["errors"]
    assert all(math.isnan(failed.values[name]) for name in ("quality", "cost", "latency"))
    assert math.isnan(left.values["errors"])
    assert all(map(math.isnan, waiting.values.values()))


@pytest.mark.parametrize(
    ("voices", "sampled"),
    [
        ([("judge:good", '{"sampled":0.25}')], 0.25),
        ([("judge:good", '{"sampled":0.25}'), ("user", None)], math.nan),
        ([("judge:good", "by hand")], math.nan),
        ([("judge:good", '{"sampled":7}')], math.nan),
        ([], math.nan),
    ],
)
def test_the_lot_of_a_judge_is_read(side, voices, sampled):
    """Where nobody else has rated the answer."""
    said = [build_feedback(f"f{n}", 1, source=source, comment=comment) for n, (source, comment) in enumerate(voices)]

    assert sampled == pytest.approx(request(side, outcome={}, feedback=said).sampled, nan_ok=True)


def test_a_policy_decides_again(side):
    """By what the log has of it."""
    assert {"small": 0.5, "large": 0.5} == request(side).made[0].decided.propensities


def test_who_rested_then_rests_again(side):
    """A model that was not among the candidates cannot be chosen; where all rest, they are asked nevertheless."""
    one = request(side, trace={"resting": ["large"]}, propensities={"small": 1.0})
    both = request(side, trace={"resting": ["small", "large"]})

    assert {"small": 1.0} == one.made[0].decided.propensities
    assert {"small": 0.5, "large": 0.5} == both.made[0].decided.propensities


def test_a_quota_that_was_spent_is_spent(side):
    """Who may not answer by then may not now."""
    found = request(side, trace={"removed": {"small": "quota: day is spent"}}, propensities={"large": 1.0})

    assert {"large": 1.0} == found.made[0].decided.propensities


def test_a_refusal_is_one(tmp_path):
    """A rule that refuses."""
    write_gateway(tmp_path)
    rule = {"name": "no", "when": {"prompt_tokens": {"above": 10}}, "refuse": "No."}
    write_policy(tmp_path, "auto", rules=[rule])
    found = request(open_side(read_files(tmp_path / "gateway.yaml", {}), None))

    assert Rejected("no", "rejected_by_policy") == found.made[0].decided


@pytest.mark.parametrize(
    ("why", "kept", "held"),
    [("tool_loop", "tool_loop", True), ("session", "session", True), ("knn*greedy", "session", False)],
)
def test_a_model_that_was_kept_is_told_from_one_that_was_chosen(side, why, kept, held):
    """A router that weighs the session's cache was asked; one that is told who answers was not."""
    found = request(side, why=why, trace={"kept": kept})

    assert (True, held) == (found.kept, found.held)
    assert found.made[0].holds


def test_a_policy_without_stickiness_does_not_hold(tmp_path):
    """It decides each request anew."""
    write_gateway(tmp_path)
    write_policy(tmp_path, "auto", stickiness={"tool_loop": False, "session": False})
    found = request(
        open_side(read_files(tmp_path / "gateway.yaml", {}), None), why="tool_loop", trace={"kept": "tool_loop"}
    )

    assert found.held
    assert not found.made[0].holds
    assert isinstance(found.made[0].decided, Choice)
