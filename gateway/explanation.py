"""A decision and what it was made from, for people to read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gateway.trace import shown

if TYPE_CHECKING:
    from gateway.deliberation import Routed
    from gateway.errors import RequestError
    from gateway.trace import Trace


def explain(routed: Routed, *, trace: bool) -> dict[str, Any]:
    """Return who would answer, with the chances of all; `trace` adds how it came to that."""
    call = routed.call
    decision = {
        "object": "routing.decision",
        "policy": routed.matched.steps[0].policy.name,
        "policy_digest": routed.matched.steps[0].policy.digest,
        "rule": routed.matched.rule,
        "model": call.candidates[0].model,
        "why": call.why,
        "buffered": not call.final,
        "hedge": None if (hedge := routed.matched.policy.hedge) is None else asdict(hedge),
        "signals": {"prompt_tokens": routed.context.prompt_tokens, **shown(routed.context.features)},
        "candidates": [
            {
                "model": model,
                "propensity": propensity,
                "reward": {"mean": estimate.mean, "std": estimate.std} if estimate else None,
                "expected_cost_usd": call.expected_cost_usd.get(model),
            }
            for model, propensity in call.propensities.items()
            for estimate in (call.estimates.get(model),)
        ],
        "removed": dict(routed.trace.removed),
        "resting": list(routed.trace.resting),
    }
    return decision | _traced(routed.trace, trace)


def explain_refusal(error: RequestError, trace: Trace, *, traced: bool) -> dict[str, Any]:
    """Return that nobody would answer, and why."""
    decision = {
        "object": "routing.decision",
        "policy": trace.matched.steps[0].policy.name,
        "policy_digest": trace.matched.steps[0].policy.digest,
        "rule": trace.matched.rule,
        "model": None,
        "why": "refused",
        "refused": {"code": error.code, "message": str(error)},
        "signals": shown(trace.readings.features),
        "candidates": [],
        "removed": dict(trace.removed),
        "resting": list(trace.resting),
    }
    return decision | _traced(trace, traced)


def _traced(trace: Trace, wanted: bool) -> dict[str, Any]:  # noqa: FBT001 - private, and named by its callers
    return {"trace": trace.as_json(every_rule=True)} if wanted else {}
