"""Events as rows of plain values, and back.

Ids are text, times integer microseconds since 1970 (UTC), money integer nano-dollars, mappings and attempts
JSON. Text is Unicode text: a lone surrogate, which JSON lets a client send, becomes U+FFFD.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.events import Attempt, Decision, Event, Feedback, LoggedEstimate, Outcome
from gateway.store.base import RefusedEventError
from gateway.store.money import from_nanos, to_nanos

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST = 2**63 - 1


def encode(event: Event) -> Row:
    """Return an event's columns, in the order of its fields. Raises `RefusedEventError`."""
    try:
        return _encode(event)
    except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
        raise RefusedEventError(event, str(error)) from error


def _encode(event: Event) -> Row:
    match event:
        case Decision():
            return _encode_decision(event)
        case Outcome():
            return _encode_outcome(event)
        case Feedback():
            return _encode_feedback(event)


def to_micros(at: datetime) -> int:
    """Return a time as microseconds since 1970, UTC. Raises `ValueError` for a time without a zone."""
    if at.utcoffset() is None:
        raise ValueError(f"time {at} has no time zone: use datetime.now(UTC)")
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def _encode_decision(event: Decision) -> Row:
    return (
        str(event.id),
        to_micros(event.at),
        unicode_text(event.request_id),
        unicode_text(event.policy),
        unicode_text(event.policy_digest),
        unicode_text(event.requested_model),
        int(event.stream),
        unicode_text(event.chosen),
        unicode_text(event.why),
        _json(event.propensities),
        _json({model: _estimate_members(estimate) for model, estimate in event.estimates.items()}),
        _json(event.features),
        event.embedding,
        unicode_text(event.text),
        unicode_text(event.rule),
        unicode_text(event.tag),
        _json(event.trace),
    )


def decode_decision(row: Sequence[Any]) -> Decision:
    """Return the decision that `encode` made a row of."""
    *plain, propensities, estimates, features, embedding, text, rule, tag, trace = row
    id_, at, request_id, policy, policy_digest, requested_model, stream, chosen, why = plain
    return Decision(
        id=UUID(id_),
        at=from_micros(at),
        request_id=request_id,
        policy=policy,
        policy_digest=policy_digest,
        requested_model=requested_model,
        stream=bool(stream),
        chosen=chosen,
        why=why,
        propensities=json.loads(propensities),
        estimates={model: LoggedEstimate(**members) for model, members in json.loads(estimates).items()},
        features={name: _feature(value) for name, value in json.loads(features).items()},
        embedding=embedding,
        text=text,
        rule=rule,
        tag=tag,
        trace=json.loads(trace),
    )


def _encode_outcome(event: Outcome) -> Row:
    return (
        str(event.decision_id),
        to_micros(event.at),
        unicode_text(event.served_by),
        _integer(event.status),
        unicode_text(event.error),
        unicode_text(event.finish_reason),
        _integer(event.prompt_tokens),
        _integer(event.completion_tokens),
        _integer(event.cached_tokens),
        _integer(None if event.cost_usd is None else to_nanos(event.cost_usd)),
        _real(event.ttft_s),
        _real(event.latency_s),
        _json([_attempt_members(attempt) for attempt in event.attempts]),
        event.cost_source,
        _integer(event.cache_write_tokens),
        _integer(event.reasoning_tokens),
        _integer(event.audio_prompt_tokens),
        _integer(event.audio_completion_tokens),
    )


def decode_outcome(row: Sequence[Any]) -> Outcome:
    """Return the outcome that `encode` made a row of."""
    decision_id, at, served_by, status, error, finish_reason, *counts = row[:10]
    prompt_tokens, completion_tokens, cached_tokens, cost_nanos = counts
    ttft_s, latency_s, attempts, cost_source, *parts = row[10:]
    cache_write_tokens, reasoning_tokens, audio_prompt_tokens, audio_completion_tokens = parts
    return Outcome(
        decision_id=UUID(decision_id),
        at=from_micros(at),
        served_by=served_by,
        status=status,
        error=error,
        finish_reason=finish_reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cached_tokens=cached_tokens,
        cost_usd=None if cost_nanos is None else from_nanos(cost_nanos),
        ttft_s=ttft_s,
        latency_s=latency_s,
        attempts=tuple(
            Attempt(**{**members, "started": from_micros(members["started"])}) for members in json.loads(attempts)
        ),
        cost_source=cost_source,
        cache_write_tokens=cache_write_tokens,
        reasoning_tokens=reasoning_tokens,
        audio_prompt_tokens=audio_prompt_tokens,
        audio_completion_tokens=audio_completion_tokens,
    )


def _encode_feedback(event: Feedback) -> Row:
    return (
        unicode_text(event.id),
        str(event.decision_id),
        to_micros(event.at),
        event.kind,
        _real(event.value),
        unicode_text(event.model),
        unicode_text(event.other),
        unicode_text(event.source),
        unicode_text(event.comment),
    )


def decode_feedback(row: Sequence[Any]) -> Feedback:
    """Return the feedback that `encode` made a row of."""
    id_, decision_id, at, *rest = row
    return Feedback(id_, UUID(decision_id), from_micros(at), *rest)


def unicode_text(value: str | None) -> str | None:
    """Return text as it is stored: with U+FFFD for each lone surrogate."""
    return value if value is None or value.isascii() else _SURROGATE.sub("\ufffd", value)


def _feature(value: Any) -> Any:
    """Return a feature as it was: JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value


def _integer(value: int | None) -> int | None:
    if value is not None and abs(value) > _LARGEST:
        raise ValueError(f"{value} does not fit into 64 bits")
    return value


def _real(value: float | None) -> float | None:
    # SQLite would turn NaN into NULL, which means unknown.
    if value is not None and not math.isfinite(value):
        raise ValueError(f"a time or value is {value}; use None where it is unknown")
    return value


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    plain = dict(value) if isinstance(value, Mapping) else value
    return json.dumps(plain, separators=(",", ":"))


def _estimate_members(estimate: LoggedEstimate) -> dict[str, float | None]:
    return {"reward": estimate.reward, "reward_std": estimate.reward_std, "cost_usd": estimate.cost_usd}


def _attempt_members(attempt: Attempt) -> dict[str, Value]:
    return {
        "model": attempt.model,
        "started": to_micros(attempt.started),
        "latency_s": _real(attempt.latency_s),
        "status": attempt.status,
        "error": attempt.error,
        "endpoint": attempt.endpoint,
        "then": attempt.then,
    }
