"""Connections whose heads are bounded: how many bytes and headers a request may have, and how long they may take.

uvicorn's own limits hold for its other parser only. Whoever exceeds these is told so, and hung up on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.errors import error_body

if TYPE_CHECKING:
    import asyncio

    from gateway.config.models import ServerConfig


class HeadTooLarge(Exception):
    """A request's line and headers are more than is taken in."""


class BoundedProtocol(HttpToolsProtocol):
    """Counts what comes before a body: bytes, also of a header that never ends, and headers.

    A head has `head_s` seconds from the moment that its connection, or its first byte, has come.
    """

    max_bytes: ClassVar[int]
    max_headers: ClassVar[int]
    head_s: ClassVar[float]

    _bytes = 0
    _unparsed = 0
    _in_head = False
    _too_large = False
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and count what is still no header."""
        inside = self._in_head
        super().data_received(data)
        if inside and self._in_head and not self.transport.is_closing():
            # The parser keeps a header to itself until it ends.
            self._unparsed += len(data)
            if self._bytes + self._unparsed > 2 * self.max_bytes:
                self._too_large = True
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._bytes = self._unparsed = 0
        self._in_head = True
        if self._patience is None:
            self._await_head()

    def on_url(self, url: bytes) -> None:
        """Count a part of the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)
        if len(self.headers) > self.max_headers:
            self._refuse(f"more than {self.max_headers} headers")

    def on_headers_complete(self) -> None:
        """Stop counting: what follows is a body."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

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

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self.max_bytes:
            self._refuse(f"more than {self.max_bytes} bytes")

    def _refuse(self, why: str) -> None:
        # The parser stops at an error, and its caller answers.
        self._too_large = True
        raise HeadTooLarge(why)

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
