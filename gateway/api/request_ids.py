"""Gives every request an id, and every answer its header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.api.heads import REQUEST_ID, request_id_of
from gateway.entropy import Entropy

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestIds:
    """Puts `request_id` into the scope's state and `x-request-id` onto the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._rng = Entropy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope, self._rng)
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        scope["headers"] = [*(pair for pair in scope["headers"] if pair[0] != REQUEST_ID), (REQUEST_ID, request_id)]

        async def send_with_id(message: Message) -> None:
            headers = message.get("headers", ())
            if message["type"] == "http.response.start" and all(name != REQUEST_ID for name, _ in headers):
                message["headers"] = [*headers, (REQUEST_ID, request_id)]
            await send(message)

        await self._app(scope, receive, send_with_id)
