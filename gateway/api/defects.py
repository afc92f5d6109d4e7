"""What becomes of errors that end a request: what the client is told, and what nobody expected.

The latter is logged with its trace, and the client is told no more than that.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.responses import Response

from gateway.errors import GatewayError, error_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.store.base import StoreError

    #: A status, a body and headers.
    Told = tuple[int, bytes, Mapping[str, str]]

logger = logging.getLogger("pointsman")


def told(error: GatewayError | StoreError) -> Told:
    """Return what a client is told of an error that is known."""
    if isinstance(error, GatewayError):
        return error.status, error.body(), error.headers
    return 503, error_body(503, str(error), "store_unavailable"), {}


def crashed(error: Exception, request_id: str) -> Told:
    """Log an error that nobody expected; return what a client is told of it."""
    logger.error("request.crashed", exc_info=error, extra={"request_id": request_id})
    return 500, error_body(500, "The gateway failed. The request's id is in the log.", "internal_error"), {}


class Defects:
    """Turns an error that no handler knows into a 500; an answer that has begun can only be broken off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back."""
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            status, body, _ = crashed(error, scope["state"]["request_id"])
            await Response(body, status, media_type="application/json")(scope, receive, send)
