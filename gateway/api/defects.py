"""The one outermost place: what nobody expected is logged with its trace, and the client is told no more than that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.responses import Response

from gateway.errors import error_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("pointsman")


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
        except Exception:
            if scope["type"] != "http" or begun:
                raise
            logger.exception("request.crashed", extra={"request_id": scope["state"]["request_id"]})
            body = error_body(500, "The gateway failed. The request's id is in the log.", "internal_error")
            await Response(body, 500, media_type="application/json")(scope, receive, send)
