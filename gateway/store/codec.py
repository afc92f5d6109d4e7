"""Events as rows of plain values, and back.

Ids are text, times integer microseconds since 1970 (UTC), money integer nano-dollars, mappings, attempts and calls
JSON. Text is Unicode text: a lone surrogate, which JSON lets a client send, becomes U+FFFD.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.events import Decision, Erasure, Event, Feedback, Move, Outcome
from gateway.store import members
from gateway.store.base import RefusedEventError
from gateway.store.money import from_nanos, to_nanos
from gateway.store.values import from_micros, integer, json_text, real, to_micros, unicode_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.values import Row


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
        case Erasure():
            return unicode_text(event.feedback_id), str(event.decision_id), to_micros(event.at)
        case Move():
            return _encode_move(event)


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
        json_text(event.propensities),
        members.estimates_text(event.estimates),
        json_text(event.features),
        event.embedding,
        unicode_text(event.text),
        unicode_text(event.rule),
        unicode_text(event.tag),
        json_text(event.trace),
        unicode_text(event.caller),
    )


def decode_decision(row: Sequence[Any]) -> Decision:
    """Return the decision that `encode` made a row of."""
    id_, at, request_id, policy, policy_digest, requested_model, stream, chosen, why, *rest = row
    propensities, estimates, features, embedding, text, rule, tag, trace, caller = rest
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
        estimates=members.estimates(estimates),
        features={name: _feature(value) for name, value in json.loads(features).items()},
        embedding=embedding,
        text=text,
        rule=rule,
        tag=tag,
        trace=json.loads(trace),
        caller=caller,
    )


def _encode_outcome(event: Outcome) -> Row:
    return (
        str(event.decision_id),
        to_micros(event.at),
        unicode_text(event.served_by),
        integer(event.status),
        unicode_text(event.error),
        unicode_text(event.finish_reason),
        integer(event.prompt_tokens),
        integer(event.completion_tokens),
        integer(event.cached_tokens),
        integer(None if event.cost_usd is None else to_nanos(event.cost_usd)),
        real(event.ttft_s),
        real(event.latency_s),
        members.attempts_text(event.attempts),
        event.cost_source,
        integer(event.cache_write_tokens),
        integer(event.reasoning_tokens),
        integer(event.audio_prompt_tokens),
        integer(event.audio_completion_tokens),
        members.calls_text(event.calls),
        members.answer_text(event.answer),
        event.plan_end,
    )


def decode_outcome(row: Sequence[Any]) -> Outcome:
    """Return the outcome that `encode` made a row of."""
    decision_id, at, served_by, status, error, finish_reason, *counts = row[:10]
    prompt_tokens, completion_tokens, cached_tokens, cost_nanos = counts
    ttft_s, latency_s, attempts, cost_source, *parts = row[10:]
    cache_write_tokens, reasoning_tokens, audio_prompt_tokens, audio_completion_tokens, calls, answer, plan_end = parts
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
        attempts=members.attempts(attempts),
        cost_source=cost_source,
        cache_write_tokens=cache_write_tokens,
        reasoning_tokens=reasoning_tokens,
        audio_prompt_tokens=audio_prompt_tokens,
        audio_completion_tokens=audio_completion_tokens,
        calls=members.calls(calls),
        answer=members.answer(answer),
        plan_end=plan_end,
    )


def _encode_feedback(event: Feedback) -> Row:
    return (
        unicode_text(event.id),
        str(event.decision_id),
        to_micros(event.at),
        event.kind,
        real(event.value),
        unicode_text(event.model),
        unicode_text(event.other),
        unicode_text(event.source),
        unicode_text(event.comment),
        unicode_text(event.name),
        unicode_text(event.caller),
    )


def decode_feedback(row: Sequence[Any]) -> Feedback:
    """Return the feedback that `encode` made a row of."""
    id_, decision_id, at, *rest = row
    return Feedback(id_, UUID(decision_id), from_micros(at), *rest)


def _encode_move(event: Move) -> Row:
    return (
        str(event.id),
        to_micros(event.at),
        unicode_text(event.policy),
        unicode_text(event.version),
        unicode_text(event.before),
        unicode_text(event.after),
        real(event.share),
        unicode_text(event.by),
        unicode_text(event.why),
        json_text(event.evidence),
    )


def decode_move(row: Sequence[Any]) -> Move:
    """Return the move that `encode` made a row of."""
    id_, at, policy, version, before, after, share, by, why, evidence = row
    return Move(UUID(id_), from_micros(at), policy, version, before, after, share, by, why, json.loads(evidence))


def _feature(value: Any) -> Any:
    """Return a feature as it was: JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value
