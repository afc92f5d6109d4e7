"""Streams that are given up when their reader leaves, also while nothing is being sent."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from gateway.api.heads import raw_headers
from gateway.api.leaving import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from gateway.client import Client

#: Proxies on the way must not hold events back (nginx, and RFC 9111).
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """An answer in server-sent events, which come one or several at once, and its own headers."""

    __slots__ = ("_client", "_events", "_headers")

    def __init__(self, events: AsyncGenerator[Sequence[bytes]], headers: Mapping[str, str], client: Client) -> None:
        self._events = events
        self._headers = headers
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come; close their source when the client leaves.

        Who has left is noted in the client; where the server tells of it first, this task is cancelled.
        """
        try:
            with Watch(scope, receive, self._client):
                async with aclosing(self._events) as events:
                    await self._send(events, send)
        except OSError:  # what ASGI servers raise when nobody reads any more (ASGI 2.4)
            self._client.left = True

    async def _send(self, events: AsyncGenerator[Sequence[bytes]], send: Send) -> None:
        # Begun before anything is sent: a generator that has not begun would not be told that it is closed.
        first = await anext(events, ())
        self._client.begun = True
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *raw_headers(self._headers)]})
        await send({"type": "http.response.body", "body": b"".join(first), "more_body": True})
        # One message for all that came at once: each is a write of its own.
        async for together in events:
            await send({"type": "http.response.body", "body": b"".join(together), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
