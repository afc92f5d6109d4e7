"""Streams that notice when their reader leaves, also while nothing is being sent."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import Response

from gateway.exchange import STOPPED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping

    from starlette.types import Receive, Scope, Send

Result = TypeVar("Result")


class ClientLeft(Exception):
    """The client closed the connection before it was answered."""


async def unless_left(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Return what `work` returns; cancel it when the client leaves, or with `STOPPED` when the server stops.

    Raises `ClientLeft`. The request's body must have been read.
    """
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_left(receive))
    reason = "client left"
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientLeft
    except asyncio.CancelledError:
        reason = STOPPED
        raise
    finally:
        task.cancel(reason)
        watch.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """An answer in server-sent events. `on_close` is called when it has ended, whichever way."""

    media_type = "text/event-stream"
    charset = "utf-8"

    def __init__(self, events: AsyncGenerator[bytes], headers: Mapping[str, str], on_close: Callable[[], None]) -> None:
        self.status_code = 200
        self.background = None
        self._events = events
        self._on_close = on_close
        # Proxies on the way must not hold events back (nginx, and RFC 9111).
        self.init_headers({"cache-control": "no-cache", "x-accel-buffering": "no", **headers})

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers; the length of a stream is not known."""
        content_type = {"content-type": f"{self.media_type}; charset={self.charset}"}
        pairs = {**content_type, **(headers or {})}
        self.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come; close their source when the client leaves."""
        del scope
        try:
            async with aclosing(self._events) as events:
                await unless_left(receive, self._send(events, send))
        except ClientLeft:
            return
        finally:
            self._on_close()

    async def _send(self, events: AsyncGenerator[bytes], send: Send) -> None:
        # Begun before anything is sent: a generator that has not begun would not be told that it is closed.
        first = await anext(events, b"")
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for event in events:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError as error:  # what ASGI servers raise when nobody reads any more (ASGI 2.4)
            raise ClientLeft from error
