"""`GET /v1/models`: what may be named as `model`, policies first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from gateway.api.openapi import JSON_RESPONSES
from gateway.api.state import authorised, gateway_of
from gateway.dial import turned

if TYPE_CHECKING:
    from gateway.policy import Policies, Policy
    from routers.types import Candidate

router = APIRouter(dependencies=[authorised], responses=JSON_RESPONSES)

OWNER = "pointsman"


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    """List the policies and the models."""
    known = gateway_of(request).runtime.policies
    data = [_policy(policy.name, policy) for policy in known.policies.values()]
    data += [_model(candidate) for candidate in known.models.values()]
    return {"object": "list", "data": data}


@router.get("/models/{model:path}")
async def retrieve_model(request: Request, model: str) -> dict[str, Any]:
    """Describe a policy (perhaps with its dial turned) or a model."""
    return describe(gateway_of(request).runtime.policies, model)


def describe(known: Policies, name: str) -> dict[str, Any]:
    """Return what a name stands for, in OpenAI's form. Raises `ModelNotFound` and `RequestError`."""
    resolved = known.resolve(name)
    policy = resolved.policy
    turned(policy.route.router, resolved.quality_weight, policy, policy.dial)
    return _model(known.models[name]) if name in known.models else _policy(name, policy)


def _policy(name: str, policy: Policy) -> dict[str, Any]:
    pool = [candidate.model for candidate in policy.pool]
    return _entry(name, {"kind": "policy", "description": policy.description, "pool": pool})


def _model(candidate: Candidate) -> dict[str, Any]:
    price = candidate.price
    return _entry(
        candidate.model,
        {
            "kind": "model",
            "context_window": candidate.context_window,
            # Strings, for they are exact; null is unknown.
            "usd_per_million_tokens": {"input": str(price.input), "output": str(price.output)} if price else None,
        },
    )


def _entry(name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER, "pointsman": more}
