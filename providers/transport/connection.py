"""One HTTP/1.1 connection: a request goes out, its answer comes in, and then the next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

import httptools
import httpx2

from providers.alarm import Alarm
from providers.transport.head import LENGTHS
from providers.transport.incoming import Head, Incoming

if TYPE_CHECKING:
    from collections.abc import Callable

#: Statuses below it announce the real answer (RFC 9110, section 15.2).
_FINAL = 200
#: Bytes that may come without any of a body: a head with what announces it, and what follows the body.
MAX_HEAD_BYTES: Final = 256 * 1024


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time.

    `on_idle` is told when it may carry the next, `on_lost` when it never will again; both are called on the event loop.
    """

    _transport: asyncio.Transport  # set before anybody else sees the connection

    def __init__(self, on_idle: Callable[[Connection], None], on_lost: Callable[[Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._incoming: Incoming | None = None
        self._alarm = Alarm(self._loop, self._late)
        self._parser = httptools.HttpResponseParser(self)
        self._fields: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._beside = 0
        self._head_only = False
        self._complete = False
        self._keeps = False
        self._writable: asyncio.Future[None] | None = None
        self._lost = False

    @property
    def usable(self) -> bool:
        """Tell whether it may carry a request now."""
        return not self._lost and self._incoming is None and self._transport.is_reading()

    def begin(self, head: bytes, *, head_only: bool = False) -> Incoming:
        """Send the head of a request, with the body where it is at hand; return its answer, as it will come.

        `head_only` says that the answer to the method has no body.
        """
        incoming = Incoming(self._loop, self._hold, self._alarm)
        self._incoming, self._head_only, self._complete = incoming, head_only, False
        self._beside = 0
        self._transport.write(head)
        return incoming

    async def write(self, data: bytes, limit_s: float | None) -> None:
        """Send more of a body, as fast as the endpoint reads; once it answers, nobody waits for that.

        Raises `httpx2.WriteTimeout` and `WriteError`.
        """
        if self._lost:
            raise httpx2.WriteError("the endpoint hung up while the request was sent")
        self._transport.write(data)
        await self.drained(limit_s)

    async def drained(self, limit_s: float | None) -> None:
        """Wait until the endpoint has read most of what was sent, or answers. Raises `httpx2.WriteTimeout`."""
        if self._writable is None:
            return
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.shield(self._writable)
        except TimeoutError as error:
            raise httpx2.WriteTimeout("the endpoint did not read the request in time") from error

    def abort(self) -> None:
        """Hang up at once: the endpoint need not go on."""
        self._transport.abort()

    def _hold(self, hold: bool) -> None:  # noqa: FBT001 - called by position, by whoever reads
        if self._lost or self._transport.is_closing():
            return
        if hold:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _late(self) -> None:
        if self._incoming is not None:
            self._incoming.late()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read what came; what nobody asked for ends the connection."""
        if self._incoming is None:
            self.abort()
            return
        incoming = self._incoming
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx2.RemoteProtocolError(f"what the endpoint sent is no HTTP: {error}"))
            return
        if self._pieces:
            incoming.add(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
            self._pieces.clear()
            self._beside = 0
        else:  # a line that has no end is the parser's, and seen by nobody else
            self._beside += len(data)
            if self._beside > MAX_HEAD_BYTES:
                part = "head" if incoming.head is None else "trailer"
                self._fail(httpx2.RemoteProtocolError(f"the answer's {part} is too large"))
                return
        if self._complete:
            self._finish(incoming)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._lost = True
        self._alarm.end()
        self._let_write()
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.end(None if exc is None and _ends_with_connection(incoming.head) else _broken(incoming, exc))
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Have writers wait."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._let_write()
        self._writable = None

    def _let_write(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin an answer; a second one to the same request is one too many."""
        if self._complete:
            raise httptools.HttpParserInvalidStatusError("a second answer to one request")
        self._fields = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header field."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Take in the head, unless it only announces another."""
        status = self._parser.get_status_code()
        if status < _FINAL or self._incoming is None:
            return
        fields, self._fields = self._fields, []  # what follows the body is none of them
        self._incoming.begin(Head(status, self._parser.get_http_version(), fields))
        if self._writable is not None:
            self._let_write()  # who answers before all was sent may never read the rest
        if self._head_only:
            self._complete = True

    def on_body(self, body: bytes) -> None:
        """Take in a piece of the body."""
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Note that an answer has come to its end, unless it only announced another."""
        if self._parser.get_status_code() >= _FINAL:
            self._complete = True
            self._keeps = self._parser.should_keep_alive()  # asked later, it would not know any more

    def _finish(self, incoming: Incoming) -> None:
        """End an answer; the connection may carry the next request where both sides agree to that."""
        self._incoming = None
        if self._keeps and not self._head_only and not self._transport.is_closing() and not self._unsent():
            if incoming.paused:
                incoming.paused = False  # so that its reader, reading on, does not resume what is another's by then
                self._hold(False)  # noqa: FBT003 - a slow reader has all of it by now
            incoming.end()
            self._on_idle(self)
        else:
            incoming.end()
            self.abort()

    def _unsent(self) -> int:
        """Return the bytes that were not taken yet: the next request would wait behind them, perhaps for ever."""
        return self._transport.get_write_buffer_size()

    def _fail(self, error: httpx2.TransportError) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.end(error)
        self.abort()


def _ends_with_connection(head: Head | None) -> bool:
    """Tell whether an answer has begun that says nothing of its length: it is whole when the connection ends."""
    return head is not None and not any(name.lower() in LENGTHS for name, _ in head.fields)


def _broken(incoming: Incoming, error: Exception | None) -> httpx2.TransportError:
    """Return what to say of a connection that was lost in the middle of an exchange."""
    if error is not None:
        return httpx2.ReadError(f"the connection was lost: {error}")
    when = "before it answered" if incoming.head is None else "in the middle of its answer"
    return httpx2.RemoteProtocolError(f"the endpoint hung up {when}")
