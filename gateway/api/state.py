"""How endpoints reach the gateway, and who may reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastapi import Depends, Request

from gateway.api.auth import access_of

if TYPE_CHECKING:
    from gateway.application import Gateway


def gateway_of(request: Request) -> Gateway:
    """Return the gateway that serves a request."""
    return cast("Gateway", request.app.state.gateway)


async def _authorise(request: Request) -> None:
    access_of(request, gateway_of(request).runtime.callers)


#: For endpoints that only callers with a key may use.
authorised = Depends(_authorise)
