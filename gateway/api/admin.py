"""`/admin/keys`: virtual keys are made, listed, changed, rotated and revoked, by whoever has the admin key.

Without an admin key these paths do not exist. A secret is in the answer that makes it, and nowhere else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, TypeAdapter
from starlette.exceptions import HTTPException

from gateway.api import promotions
from gateway.api.auth import shown_by
from gateway.api.body import read_body
from gateway.api.state import gateway_of
from gateway.api.written import parse_written
from gateway.errors import RequestError, Unauthorized
from gateway.keys.registry import Registry
from gateway.keys.shown import shown_key
from gateway.keys.vocabulary import Vocabulary
from gateway.keys.written import KeyChange, NewKey, Rotation

if TYPE_CHECKING:
    from gateway.runtime import Runtime

Body = TypeVar("Body", bound=BaseModel)

#: Bytes of a body at most: no key takes more.
MAX_BODY = 256 * 1024


async def _authorise(request: Request) -> None:
    """Let pass whoever shows the admin key; where there is none, nothing is here."""
    callers = gateway_of(request).runtime.callers
    if not callers.administered:
        raise HTTPException(404)
    if not callers.is_admin(shown_by(request.headers)):
        raise Unauthorized("Incorrect admin key provided.")


# It is no business of callers, whom the OpenAPI document is for.
router = APIRouter(dependencies=[Depends(_authorise)], include_in_schema=False)
router.include_router(promotions.router)


@router.post("/admin/keys", status_code=201)
async def create_key(request: Request, response: Response) -> dict[str, Any]:
    """Make a key; the answer has its secret, for the only time."""
    at = datetime.now(UTC)
    made = await _registry(request).create(await _read(request, NewKey), at)
    _keep_out_of_caches(response)
    return shown_key(made.key, at) | {"secret": made.secret}


@router.get("/admin/keys")
async def list_keys(
    request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100, after: str | None = None
) -> dict[str, Any]:
    """List keys, the oldest first, those included that were revoked; `after` is the last id of the page before."""
    at = datetime.now(UTC)
    keys = [key for key in await _registry(request).all() if after is None or key.id > after]
    data = [shown_key(key, at) for key in keys[:limit]]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return {"object": "list", "data": data, **ends, "has_more": len(keys) > limit}


@router.get("/admin/keys/{key_id}")
async def retrieve_key(request: Request, key_id: str) -> dict[str, Any]:
    """Describe a key."""
    return shown_key(await _registry(request).find(key_id), datetime.now(UTC))


@router.patch("/admin/keys/{key_id}")
async def change_key(request: Request, key_id: str) -> dict[str, Any]:
    """Change what is given, and leave the rest as it is."""
    changed = await _registry(request).change(key_id, await _read(request, KeyChange))
    return shown_key(changed, datetime.now(UTC))


@router.post("/admin/keys/{key_id}/rotate")
async def rotate_key(request: Request, response: Response, key_id: str) -> dict[str, Any]:
    """Give a key another secret, which the answer has; the old one stays good for a while."""
    at = datetime.now(UTC)
    rotation = await _read(request, Rotation)
    made = await _registry(request).rotate(key_id, timedelta(seconds=rotation.grace_s), at)
    _keep_out_of_caches(response)
    return shown_key(made.key, at) | {"secret": made.secret}


@router.delete("/admin/keys/{key_id}")
async def revoke_key(request: Request, key_id: str) -> dict[str, Any]:
    """Revoke a key for good; it stays in the list."""
    at = datetime.now(UTC)
    return shown_key(await _registry(request).revoke(key_id, at), at)


def _registry(request: Request) -> Registry:
    runtime = gateway_of(request).runtime
    if runtime.callers.ring is None:
        raise RequestError("There are no virtual keys here: write `keys: {}` in the configuration.", code="no_keys")
    return Registry(runtime.callers.ring, _vocabulary(runtime))


def _vocabulary(runtime: Runtime) -> Vocabulary:
    classes = runtime.config.data_classes
    return Vocabulary(runtime.policies.models, runtime.policies.policies, classes.names if classes else ())


async def _read(request: Request, model: type[Body]) -> Body:
    """Return the body as a model; none is an empty one. Raises `RequestValidationError` and `RequestError`."""
    server = gateway_of(request).runtime.config.server
    smaller = server.model_copy(update={"max_body_bytes": min(MAX_BODY, server.max_body_bytes)})
    return parse_written(await read_body(request.receive, smaller) or b"{}", TypeAdapter(model))


def _keep_out_of_caches(response: Response) -> None:
    response.headers["cache-control"] = "no-store"
