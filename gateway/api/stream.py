"""Answers in server-sent events, on their way to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.api.heads import lines_of, raw_headers
from gateway.client import ClientLeft

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from starlette.types import Send

    from gateway.api.wire import Wire
    from gateway.client import Client

#: Proxies on the way must not hold events back (nginx, and RFC 9111).
HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


class EventOutlet:
    """Sends events to a client, with the head of its answer before the first of them.

    Where the server offers a wire they are written as they come, in the call that brings them; with any other server
    they wait for a task, by whom they are sent. Who is found to have left is noted in `client`.
    """

    __slots__ = ("_client", "_headers", "_pending", "_send", "_wire", "_writes")

    def __init__(self, headers: Mapping[str, str], send: Send, wire: Wire | None, client: Client) -> None:
        self._headers = {**HEADERS, **headers}
        self._send = send
        self._wire = wire if wire is not None and wire.is_behind(send) else None
        self._client = client
        self._pending: list[bytes] = []
        #: What writes to the wire, once the head is sent.
        self._writes: Wire | None = None

    def write(self, events: Sequence[bytes]) -> bool:
        """Send events, all that came at once in one piece; tell whether more has to wait until it is `drained`."""
        if self._writes is None:
            self._pending += events
            return True
        return not self._writes.write(events[0] if len(events) == 1 else b"".join(events))

    async def drained(self) -> None:
        """Send what waits, and wait until there is room for more. Raises `ClientLeft`."""
        if self._writes is not None:
            await self._writes.drained()
            return
        pending, self._pending = b"".join(self._pending), []
        if not self._opened(pending):
            await self._begin()
            await self._sent({"type": "http.response.body", "body": pending, "more_body": True})
        self._writes = self._wire

    async def end(self) -> None:
        """Send what waits, and the end. Raises `ClientLeft`."""
        if self._writes is not None and self._writes.close():
            return
        await self._begin()
        pending, self._pending = b"".join(self._pending), []
        await self._sent({"type": "http.response.body", "body": pending, "more_body": False})

    def _opened(self, pending: bytes) -> bool:
        """Send the head with what waits in one piece, where that can be done at once; tell whether it was."""
        if self._wire is None or self._client.begun or (lines := lines_of(self._headers)) is None:
            return False
        if not self._wire.open(200, lines, pending):
            return False
        self._client.begun = True
        return True

    async def _begin(self) -> None:
        """Send the head, unless that has been done: from then on there can be no other answer."""
        if not self._client.begun:
            self._client.begun = True
            headers = raw_headers(self._headers)
            await self._sent({"type": "http.response.start", "status": 200, "headers": headers})

    async def _sent(self, message: MutableMapping[str, Any]) -> None:
        try:
            await self._send(message)
        except OSError as error:  # what ASGI servers raise when nobody reads any more (ASGI 2.4)
            self._client.left = True
            raise ClientLeft from error
