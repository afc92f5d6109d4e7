"""What a column holds as JSON: estimates, attempts, and the calls of a plan.

Times are integer microseconds since 1970 (UTC), money integer nano-dollars, as in the columns of their own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.events import Attempt, LoggedEstimate, MadeCall
from gateway.store.money import from_nanos, to_nanos
from gateway.store.values import from_micros, integer, json_text, real, to_micros, unicode_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.store.values import Value


def estimates_text(estimates: Mapping[str, LoggedEstimate]) -> str:
    """Return estimates by model as JSON text."""
    if not estimates:
        return "{}"
    return json_text({model: _estimate_members(estimate) for model, estimate in estimates.items()})


def estimates(text: str) -> dict[str, LoggedEstimate]:
    """Return the estimates that `estimates_text` wrote."""
    return {model: LoggedEstimate(**members) for model, members in json.loads(text).items()}


def attempts_text(attempts: Sequence[Attempt]) -> str:
    """Return attempts as JSON text. Raises `ValueError` for one that no log can hold."""
    return json_text([_attempt_members(attempt) for attempt in attempts])


def attempts(text: str) -> tuple[Attempt, ...]:
    """Return the attempts that `attempts_text` wrote."""
    return tuple(Attempt(**{**members, "started": from_micros(members["started"])}) for members in json.loads(text))


def calls_text(calls: Sequence[MadeCall]) -> str:
    """Return a plan's calls as JSON text. Raises `ValueError` for one that no log can hold."""
    if not calls:
        return "[]"
    return json_text([_call_members(call) for call in calls])


def calls(text: str) -> tuple[MadeCall, ...]:
    """Return the calls that `calls_text` wrote."""
    return tuple(_call(**members) for members in json.loads(text))


def answer_text(call: MadeCall | None) -> str | None:
    """Return the call whose answer was returned as JSON text. Raises `ValueError` for one that no log can hold."""
    return None if call is None else json_text(_call_members(call))


def answer(text: str | None) -> MadeCall | None:
    """Return the call that `answer_text` wrote."""
    return None if text is None else _call(**json.loads(text))


def _estimate_members(estimate: LoggedEstimate) -> dict[str, float | None]:
    return {"reward": estimate.reward, "reward_std": estimate.reward_std, "cost_usd": estimate.cost_usd}


def _attempt_members(attempt: Attempt) -> dict[str, Value]:
    return {
        "model": attempt.model,
        "started": to_micros(attempt.started),
        "latency_s": real(attempt.latency_s),
        "status": attempt.status,
        "error": attempt.error,
        "endpoint": attempt.endpoint,
        "then": attempt.then,
    }


def _call_members(call: MadeCall) -> dict[str, Value]:
    return {
        "model": unicode_text(call.model),
        "why": unicode_text(call.why),
        "error": unicode_text(call.error),
        "cost_nano_usd": integer(None if call.cost_usd is None else to_nanos(call.cost_usd)),
        "cost_source": call.cost_source,
        "prompt_tokens": integer(call.prompt_tokens),
        "completion_tokens": integer(call.completion_tokens),
        "latency_s": real(call.latency_s),
    }


def _call(cost_nano_usd: int | None, **members: Any) -> MadeCall:
    return MadeCall(cost_usd=None if cost_nano_usd is None else from_nanos(cost_nano_usd), **members)
