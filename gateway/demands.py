"""What a request asks of whoever answers it, and what the client is told where nobody can."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.efforts import effort_asked
from gateway.eligibility import Demand
from gateway.errors import (
    BudgetExceeded,
    ContextExceeded,
    NoEligibleModel,
    QuotasSpent,
    RequestError,
    UnsupportedRequest,
)
from gateway.signals.length import LIMITS
from gateway.signals.needs import needs_of
from gateway.signals.request import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.constraints import Constraints
    from gateway.data_class import Classified
    from gateway.deciding import World
    from gateway.signals.base import Request
    from providers.types import ChatRequest


#: Answers, and tokens of one, that anybody asks for; more is nonsense, and no amount of money would hold its price.
MOST = 1_000_000
NO_IDS: frozenset[str] = frozenset()
NO_LATENCIES: Mapping[str, float] = {}


def demand_of(
    chat: ChatRequest,
    request: Request,
    constraints: Constraints,
    classified: Classified | None,
    features: Mapping[str, Any],
    world: World,
) -> Demand:
    """Return what a request, as it is to be sent (`chat`), asks of whoever answers it."""
    body, measured = chat.body, features.get("prompt_tokens")
    prompt = request.prompt if body is request.body else Prompt(body)
    limits = _positive(body, LIMITS)
    return Demand(
        constraints=constraints,
        needs=needs_of(body, prompt),
        # A measure that did not come in time must not make the request seem short, and so cheap.
        prompt_tokens=prompt.tokens if measured is None else int(measured),
        exact=features.get("length.exact") is True,
        completion_tokens=max(limits) if limits else None,
        answers=max(_positive(body, ("n",)), default=1) if "n" in body else 1,
        tool_call_ids=_tool_call_ids(prompt) if prompt.calls else NO_IDS,
        data_class=classified.name if classified else None,
        effort=effort_asked(body),
        latencies_s=world.latencies.lately(time.monotonic()) if constraints.max_latency_s is not None else NO_LATENCIES,
    )


def _positive(body: Mapping[str, Any], members: tuple[str, ...]) -> list[int]:
    """Return the values of those members that are positive whole numbers; others limit nothing."""
    values = [body[member] for member in members if member in body]
    return [
        min(value, MOST) for value in values if isinstance(value, int) and not isinstance(value, bool) and value > 0
    ]


def _tool_call_ids(prompt: Prompt) -> frozenset[str]:
    """Return the ids of the tool calls in the history."""
    return frozenset([id_ for call in prompt.calls if isinstance(id_ := call.get("id"), str)])


def nobody_eligible(removed: Mapping[str, str]) -> RequestError:
    """Return the error to answer where nobody is left: what is wrong with the request, if that alone is the reason."""
    kinds = {reason.partition(":")[0] for reason in removed.values()}
    reasons = "; ".join(f"{model}: {reason}" for model, reason in removed.items())
    if kinds <= {"quota", "budget"} and "budget" in kinds:
        return BudgetExceeded(f"The budget of the session does not suffice for any model that may answer ({reasons}).")
    if kinds == {"quota"}:
        return QuotasSpent(f"The quotas of all models that may answer are used up ({reasons}).")
    if kinds == {"context_window"}:
        return ContextExceeded(f"The request is too long for every model that may answer it ({reasons}).")
    if kinds <= {"context_window", "capability", "effort", "history"}:
        return UnsupportedRequest(f"No model that may answer can take this request ({reasons}).")
    return NoEligibleModel(f"No model may answer this request ({reasons}).")
