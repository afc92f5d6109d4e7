"""Gives every request an id, and every answer its header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"
#: A caller's own id is kept if it is plain; anything else could forge headers or log lines.
_PLAIN = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class RequestIds:
    """Puts `request_id` into the scope's state and `x-request-id` onto the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown = next((value for name, value in scope["headers"] if name == HEADER), b"")
        request_id = shown if _PLAIN.fullmatch(shown) else b"req_" + uuid4().hex.encode()
        scope.setdefault("state", {})["request_id"] = request_id.decode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        await self._app(scope, receive, send_with_id)
