"""`GET /v1/models`: what may be named as `model`, policies first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from gateway.api.auth import check_scope
from gateway.api.openapi import JSON_RESPONSES
from gateway.api.state import access_of, authorised, gateway_of
from gateway.dial import turned
from gateway.keys.errors import NotPermitted

if TYPE_CHECKING:
    from gateway.callers import Access
    from gateway.policy import Policies, Policy
    from routers.types import Candidate

router = APIRouter(dependencies=[authorised], responses=JSON_RESPONSES)

OWNER = "pointsman"


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    """List the policies and the models that the caller may ask for."""
    known, access = gateway_of(request).runtime.policies, access_of(request)
    policies = [policy for policy in known.policies.values() if access.may_ask(policy.name) and _pool(policy, access)]
    models = [one for one in known.models.values() if access.may_ask(one.model) and access.may_answer(one.model)]
    data = [_policy(policy.name, policy, access) for policy in policies] + [_model(candidate) for candidate in models]
    return {"object": "list", "data": data}


@router.get("/models/{model:path}")
async def retrieve_model(request: Request, model: str) -> dict[str, Any]:
    """Describe a policy (perhaps with its dial turned) or a model."""
    runtime, access = gateway_of(request).runtime, access_of(request)
    check_scope(access, model, runtime.decider)
    return describe(runtime.policies, model, access)


def describe(known: Policies, name: str, access: Access) -> dict[str, Any]:
    """Return what a name stands for to a caller, in OpenAI's form. Raises `RequestError`."""
    resolved = known.resolve(name)
    policy = resolved.policy
    turned(policy.route.router, resolved.quality_weight, policy, policy.dial)
    if not _pool(policy, access):
        raise NotPermitted(f"No model may answer to this key where {name!r} is asked for.", param="model")
    return _model(known.models[name]) if name in known.models else _policy(name, policy, access)


def _policy(name: str, policy: Policy, access: Access) -> dict[str, Any]:
    return _entry(name, {"kind": "policy", "description": policy.description, "pool": _pool(policy, access)})


def _pool(policy: Policy, access: Access) -> list[str]:
    return [candidate.model for candidate in policy.pool if access.may_answer(candidate.model)]


def _model(candidate: Candidate) -> dict[str, Any]:
    price = candidate.price
    return _entry(
        candidate.model,
        {
            "kind": "model",
            **_effort(candidate),
            "context_window": candidate.context_window,
            # Strings, for they are exact; null is unknown.
            "usd_per_million_tokens": {"input": str(price.input), "output": str(price.output)} if price else None,
        },
    )


def _effort(candidate: Candidate) -> dict[str, Any]:
    """Return which model it is and how it is asked, where that is another than its name."""
    effort, said = candidate.effort, dict[str, Any]()
    if effort.level is not None:
        said["effort"] = effort.level
    if effort.budget is not None:
        said["budget_tokens"] = effort.budget
    if effort.max_tokens is not None:
        said["max_tokens"] = effort.max_tokens
    return {"model": candidate.base, **said} if said else {}


def _entry(name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER, "pointsman": more}
