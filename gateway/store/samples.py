"""Events to try a store with, and what a check says where it fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.events import Attempt, Decision, Erasure, Feedback, LoggedEstimate, MadeCall, Move, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.base import StoreError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def build_decision(number: int, **changes: Any) -> Decision:
    """Build a decision: its id and its time, in seconds after noon, are `number`."""
    decision = Decision(
        id=UUID(int=number),
        at=NOON + number * SECOND,
        request_id=f"request-{number}",
        policy="auto",
        policy_digest="5e" * 32,
        requested_model="auto",
        stream=True,
        chosen="small",
        why="epsilon",
        propensities={"small": 0.9, "large": 0.1},
        estimates={"small": LoggedEstimate(0.7, 0.1, 0.00002), "large": LoggedEstimate(0.8, 0.2, None)},
        features={"domain": "code", "prompt_tokens": 812.0, "multimodal": False, "pii": ("card", "email")},
        embedding=b"\x00\x00\x80?\x00\x00\x00\x00",
        text="Prove that √2 is irrational.",
        rule="proofs",
        tag="mathematics",
        trace={"rules": [{"rule": "proofs", "holds": True}], "removed": {}},
        caller="key_1",
    )
    return replace(decision, **changes)


def build_outcome(number: int, **changes: Any) -> Outcome:
    """Build the outcome of decision `number`: a fallback answered."""
    at = NOON + number * SECOND
    outcome = Outcome(
        decision_id=UUID(int=number),
        at=at + 2 * SECOND,
        served_by="large",
        status=200,
        error=None,
        finish_reason="stop",
        prompt_tokens=812,
        completion_tokens=34,
        cached_tokens=0,
        cost_usd=Decimal("0.00001234"),
        ttft_s=0.25,
        latency_s=1.5,
        attempts=(
            Attempt("small", at, 0.125, 429, "rate_limited", "small@a", "candidate"),
            Attempt("large", at + SECOND, 0.5, 200, None),
        ),
        cost_source="priced",
        cache_write_tokens=100,
        reasoning_tokens=20,
        audio_prompt_tokens=7,
        audio_completion_tokens=5,
    )
    return replace(outcome, **changes)


def build_planned_outcome(number: int, **changes: Any) -> Outcome:
    """Build the outcome of decision `number`: the second step of a cascade answered, after a judge who did not."""
    planned = build_outcome(
        number,
        calls=(
            MadeCall("small", "cascade step=0", None, Decimal("0.00000034"), "priced", 812, 21, 0.375),
            MadeCall("judge", "judge", "timeout", None, None, None, None, 0.25),
        ),
        answer=MadeCall("large", "cascade step=1", None, Decimal("0.000012"), "priced", 812, 34, 0.75),
        plan_end="relayed",
    )
    return replace(planned, **changes)


def build_feedback(feedback_id: str, number: int, **changes: Any) -> Feedback:
    """Build feedback on decision `number`, a minute later."""
    feedback = Feedback(
        id=feedback_id,
        decision_id=UUID(int=number),
        at=NOON + (60 + number) * SECOND,
        kind="preference",
        value=1.0,
        model="large",
        other="small",
        source="reviewer",
        comment="the better proof",
        caller="key_2",
    )
    return replace(feedback, **changes)


def build_erasure(feedback_id: str, number: int) -> Erasure:
    """Build what is left of feedback on decision `number`, two minutes later."""
    return Erasure(feedback_id, UUID(int=number), NOON + (120 + number) * SECOND)


def build_move(number: int, **changes: Any) -> Move:
    """Build a move: its id and its time, in seconds after noon, are `number`."""
    move = Move(
        id=UUID(int=number),
        at=NOON + number * SECOND,
        policy="auto",
        version="auto-2",
        before="canary",
        after="ramp",
        share=0.25,
        by="test",
        why="quality is no worse by more than 0.02",
        evidence={"requests": 1200, "quality": {"difference": 0.004, "interval": [-0.011, 0.019]}},
    )
    return replace(move, **changes)


def expect(expected: object, actual: object, what: str) -> None:
    """Raise `AssertionError` where something is not as expected."""
    if expected != actual:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def expect_error(kind: type[StoreError], call: Callable[[], object], what: str) -> StoreError:
    """Return the error that a call raises. Raises `AssertionError` where it raises none."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{what}: expected {kind.__name__}")
