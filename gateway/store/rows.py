"""The log as flat rows, one a request, ready for JSON."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from gateway.events import Attempt, Feedback, LoggedEstimate, MadeCall, Outcome
    from gateway.store.base import LoggedEvent, Store
    from gateway.store.row import AttemptRow, CallRow, EstimateRow, FeedbackRow, OutcomeRow, Row
    from routers.types import Feature


def rows(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    policy: str | None = None,
    limit: int | None = None,
    *,
    newest_first: bool = False,
) -> Iterator[Row]:
    """Yield the log's requests as rows; what is asked for is said as to `Store.joined`. Raises `StoreError`."""
    return map(_row, store.joined(since, until, policy, limit, newest_first=newest_first))


def _row(logged: LoggedEvent) -> Row:
    decision = logged.decision
    return {
        "at": _iso(decision.at),
        "decision_id": str(decision.id),
        "request_id": decision.request_id,
        "policy": decision.policy,
        "policy_digest": decision.policy_digest,
        "requested_model": decision.requested_model,
        "stream": decision.stream,
        "chosen": decision.chosen,
        "why": decision.why,
        "propensity": _finite(decision.propensities.get(decision.chosen)),
        "propensities": {model: _finite(value) for model, value in decision.propensities.items()},
        "estimates": {model: _estimate_row(estimate) for model, estimate in decision.estimates.items()},
        "features": {name: _feature(value) for name, value in decision.features.items()},
        **(_no_outcome() if logged.outcome is None else _outcome_row(logged.outcome)),
        "feedback": [_feedback_row(feedback) for feedback in logged.feedback],
        "embedding": None if decision.embedding is None else _vector(decision.embedding),
        "text": decision.text,
        "rule": decision.rule,
        "tag": decision.tag,
        "trace": dict(decision.trace),
        "caller": decision.caller,
    }


def _feature(value: Feature) -> float | str | bool | list[str] | None:
    if isinstance(value, tuple):
        return list(value)
    return _finite(value) if isinstance(value, float) else value


def _no_outcome() -> OutcomeRow:
    return {
        "finished_at": None,
        "served_by": None,
        "status": None,
        "error": None,
        "finish_reason": None,
        "prompt_tokens": None,
        "completion_tokens": None,
        "cached_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "audio_prompt_tokens": None,
        "audio_completion_tokens": None,
        "cost_usd": None,
        "cost_source": None,
        "ttft_s": None,
        "latency_s": None,
        "attempts": [],
        "calls": [],
        "answer": None,
        "plan_end": None,
    }


def _outcome_row(outcome: Outcome) -> OutcomeRow:
    return {
        "finished_at": _iso(outcome.at),
        "served_by": outcome.served_by,
        "status": outcome.status,
        "error": outcome.error,
        "finish_reason": outcome.finish_reason,
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.completion_tokens,
        "cached_tokens": outcome.cached_tokens,
        "cache_write_tokens": outcome.cache_write_tokens,
        "reasoning_tokens": outcome.reasoning_tokens,
        "audio_prompt_tokens": outcome.audio_prompt_tokens,
        "audio_completion_tokens": outcome.audio_completion_tokens,
        "cost_usd": _money(outcome.cost_usd),
        "cost_source": outcome.cost_source,
        "ttft_s": outcome.ttft_s,
        "latency_s": outcome.latency_s,
        "attempts": [_attempt_row(attempt) for attempt in outcome.attempts],
        "calls": [call_row(call) for call in outcome.calls],
        "answer": None if outcome.answer is None else call_row(outcome.answer),
        "plan_end": outcome.plan_end,
    }


def _attempt_row(attempt: Attempt) -> AttemptRow:
    return {
        "model": attempt.model,
        "started": _iso(attempt.started),
        "latency_s": attempt.latency_s,
        "status": attempt.status,
        "error": attempt.error,
        "endpoint": attempt.endpoint,
        "then": attempt.then,
    }


def call_row(call: MadeCall) -> CallRow:
    """Return a call of a plan as plain values."""
    return {
        "model": call.model,
        "why": call.why,
        "error": call.error,
        "cost_usd": _money(call.cost_usd),
        "cost_source": call.cost_source,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "latency_s": call.latency_s,
    }


def _estimate_row(estimate: LoggedEstimate) -> EstimateRow:
    return {
        "reward": _finite(estimate.reward),
        "reward_std": _finite(estimate.reward_std),
        "cost_usd": _finite(estimate.cost_usd),
    }


def _feedback_row(feedback: Feedback) -> FeedbackRow:
    return {
        "id": feedback.id,
        "at": _iso(feedback.at),
        "kind": feedback.kind,
        "value": feedback.value,
        "model": feedback.model,
        "other": feedback.other,
        "source": feedback.source,
        "comment": feedback.comment,
        "name": feedback.name,
        "caller": feedback.caller,
    }


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _money(usd: Decimal | None) -> str | None:
    return None if usd is None else format(usd, "f")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _vector(embedding: bytes) -> list[float | None]:
    return [_finite(value) for (value,) in struct.iter_unpack("<f", embedding)]
