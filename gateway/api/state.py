"""How endpoints reach the gateway, and who may reach them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from fastapi import Depends, Request

from gateway.api.auth import admit

if TYPE_CHECKING:
    from gateway.application import Gateway
    from gateway.callers import Access


def gateway_of(request: Request) -> Gateway:
    """Return the gateway that serves a request."""
    return cast("Gateway", request.app.state.gateway)


def access_of(request: Request) -> Access:
    """Return what the caller of an endpoint that asks for a key has access to."""
    return cast("Access", request.state.access)


async def _authorise(request: Request) -> None:
    gateway = gateway_of(request)
    with gateway.runtime.in_use() as runtime:
        request.state.access = await admit(request.headers, runtime.callers, datetime.now(UTC), gateway.metrics)


#: For endpoints that only callers with a key may use.
authorised = Depends(_authorise)
