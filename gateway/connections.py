"""Connections whose heads are bounded: how many bytes and headers a request may have, and how long they may take.

What comes behind a body (trailers) is bounded as well, and not kept: it must not pass for headers (RFC 9110, section
6.5.1), which say who asks.

uvicorn's own limits hold for its other parser only. Whoever exceeds these is told so, and hung up on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.api.leaving import Leaving
from gateway.api.wire import EXTENSION, Wire
from gateway.errors import error_body
from providers.alarm import Alarm

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gateway.config.models import ServerConfig


class HeadTooLarge(Exception):
    """A request's line and headers are more than is taken in."""


class Unkept(list[tuple[bytes, bytes]]):
    """Takes the place of a request's headers once they are complete: trailers are not added to it."""

    def append(self, header: tuple[bytes, bytes], /) -> None:
        """Forget it."""


UNKEPT: Final = Unkept()


class BoundedProtocol(HttpToolsProtocol):
    """Counts what comes before a body: bytes, also of a header that never ends, and headers; behind it, bytes.

    A head has `head_s` seconds from the moment that its connection, or its first byte, has come. So long may it take
    between two pieces of a body that nobody waits for.
    """

    max_bytes: ClassVar[int]
    max_headers: ClassVar[int]
    head_s: ClassVar[float]

    #: Bytes of a head that is not complete, or since the last part of a body; and of the piece that came last.
    _came = 0
    _piece = 0
    #: Whether the end of a head, or a part of a body, was within that piece.
    _anew = False
    #: Whether a request is not complete, and whether its head is not.
    _incomplete = False
    _in_head = False
    _too_large = False
    #: What is being answered, or was last.
    _running: RequestResponseCycle | None = None
    _patience: asyncio.TimerHandle | None = None
    _idle: Alarm
    _leaving: Leaving
    _wire: Wire

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base
        """Begin to wait for a head."""
        self._leaving = Leaving()
        self._idle = Alarm(self.loop, self.timeout_keep_alive_handler)
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        self._idle.end()
        running = self._running
        if running is not None and not running.response_complete:
            # The base class tells the request that came last, which may wait behind this one.
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)
        self._leaving.tell()

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and count what is still no complete head."""
        inside = self._in_head
        self._piece = len(data)
        super().data_received(data)
        if self._incomplete and not self.transport.is_closing():
            if self._in_head:
                self._go_on_with_head(inside=inside)
            else:
                self._go_on_with_body()

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._idle.stop()
        super().on_message_begin()
        self._wire = Wire(self._leaving)
        self.scope["extensions"] = {EXTENSION: {"wire": self._wire}}
        self._came = 0
        self._incomplete = self._in_head = True

    def on_headers_complete(self) -> None:
        """Count the head, in one go: a head that comes in many pieces is counted as they come."""
        self._check()
        self._in_head, self._anew = False, True
        self._stop_waiting()
        super().on_headers_complete()
        self.headers = UNKEPT
        self._wire.begin(self.cycle)
        if not self.pipeline:
            self._running = self.cycle

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body; one that comes alone is handed on as it is, where uvicorn would copy it twice."""
        self._anew = True
        cycle = self.cycle
        held = cast("bytes | bytearray", cycle.body)
        if not held and not cycle.response_complete:
            cycle.body = body  # type: ignore[assignment] # `receive` makes bytes of it, which these are already
            if len(body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()
            return
        if isinstance(held, bytes):
            cycle.body = bytearray(held)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count no more."""
        self._incomplete = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with what was pipelined, or wait for the next request, as long as the base class does.

        That would set a timer of its own for each request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._running, app = self.pipeline.pop()
            self._start_asgi_task(self._running, app)
        elif not self._in_head:  # the next head has its own time
            self._idle.set(self.timeout_keep_alive)

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with the head, in OpenAI's form, and hang up."""
        if self._too_large:
            said = f"The request's headers are more than is accepted: {self.max_headers}, of {self.max_bytes} bytes."
            status, body = 431, error_body(431, said, "headers_too_large")
        else:
            status, body = 400, error_body(400, msg, "invalid_http")
        lines = [b"content-type: application/json", b"content-length: %d" % len(body), b"connection: close"]
        self.transport.write(STATUS_LINE[status] + b"\r\n".join([*lines, b"", body]))
        self.transport.close()

    def _go_on_with_head(self, *, inside: bool) -> None:
        """Count a head that is not complete; `inside` if it had begun before the piece that came last."""
        # Nearly all heads come in one piece, and need no timer.
        if self._patience is None:
            self._await_head()
        # The parser keeps a header to itself until it ends; what came first may have been another request's body.
        self._came = self._came + self._piece if inside else self._size
        if self._came > 2 * self.max_bytes or len(self.headers) > self.max_headers:
            self._too_large = True
            self.send_400_response("")

    def _go_on_with_body(self) -> None:
        """Count what is no body: trailers, of which the parser keeps one that never ends, and what frames chunks.

        A body that is read for nobody has so long between its pieces as one that is awaited.
        """
        self._came = 0 if self._anew else self._came + self._piece
        self._anew = False
        if self._came > self.max_bytes:
            self.transport.close()
        elif self._is_answered():
            self._idle.set(self.head_s)

    def _is_answered(self) -> bool:
        """Tell whether a request of which the body has not all come needs no more of it."""
        return self.cycle.response_complete

    def _check(self) -> None:
        """Raise `HeadTooLarge` for a head that is too large: the parser stops at an error, and its caller answers."""
        if len(self.headers) <= self.max_headers and self._came + self._piece <= self.max_bytes:
            return  # no more than that has come
        self._too_large = len(self.headers) > self.max_headers or self._size > self.max_bytes
        if self._too_large:
            raise HeadTooLarge(f"more than {self.max_headers} headers, or {self.max_bytes} bytes")

    @property
    def _size(self) -> int:
        """Return how many bytes of a head were understood."""
        return len(self.url) + sum([len(name) + len(value) for name, value in self.headers])

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(self.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()


def bounded(settings: ServerConfig) -> type[BoundedProtocol]:
    """Return the protocol with a configuration's bounds."""
    bounds = {
        "max_bytes": settings.max_header_bytes,
        "max_headers": settings.max_headers,
        "head_s": settings.body_timeout_s,
    }
    return type("Bounded", (BoundedProtocol,), bounds)
