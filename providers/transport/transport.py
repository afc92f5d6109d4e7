"""httpx2's types above, one asyncio protocol a connection below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import httpx2

from providers.transport.origin import origin_of
from providers.transport.pool import Pool

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping

    from providers.transport.connection import Connection
    from providers.transport.incoming import Incoming

#: A body up to this size goes out with the head, in one write.
ONE_WRITE: Final = 64 * 1024


class Transport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 over TCP and TLS, with connections that are kept: a fraction of the work of the default transport.

    It honours the request's `timeout` extension: seconds to connect, between two pieces of the answer, to send a piece
    of the request, and to wait for a connection. An answer that is closed before its end is hung up on. A connection
    that the endpoint has closed meanwhile is not used; whether a request that was lost is sent again is the caller's
    business.

    `limits` are the connections that may be open and kept. `tls` says whom to trust.
    """

    def __init__(self, tls: ssl.SSLContext, limits: httpx2.Limits) -> None:
        kept = limits.max_keepalive_connections
        idle_s = limits.keepalive_expiry or math.inf
        self._pool = Pool(tls, limits.max_connections, math.inf if kept is None else kept, idle_s)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return its answer once its head is there. Raises `httpx2.TransportError`."""
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        head = _head_of(request)
        connection = await self._pool.lend(origin_of(request.url), timeouts.get("connect"), timeouts.get("pool"))
        incoming: Incoming | None = None
        try:
            incoming = await _send(connection, request, head, timeouts)
            answered = await incoming.opened(timeouts.get("read"))
        except BaseException:
            if incoming is None or not incoming.ended:
                connection.abort()
            raise
        return httpx2.Response(
            answered.status,
            headers=answered.fields,
            stream=_Body(incoming, connection, timeouts.get("read")),
            extensions={"http_version": answered.http_version},
        )

    async def aclose(self) -> None:
        """Hang up on all connections."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, incoming: Incoming, connection: Connection, limit_s: float | None) -> None:
        self._incoming = incoming
        self._connection = connection
        self._limit_s = limit_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what has come since, until the end. Raises `httpx2.TransportError`."""
        while (piece := await self._incoming.next(self._limit_s)) is not None:
            yield piece

    async def aclose(self) -> None:
        """Hang up, unless the answer has come to its end: the connection may carry another request by now."""
        if not self._incoming.ended:
            self._connection.abort()


async def _send(
    connection: Connection, request: httpx2.Request, head: bytes, timeouts: Mapping[str, float | None]
) -> Incoming:
    """Send a request whole, or its head and then piece by piece; return its answer, as it will come."""
    head_only, limit_s = request.method == "HEAD", timeouts.get("write")
    stream: Any = request.stream
    if not isinstance(stream, httpx2.ByteStream):
        incoming = connection.begin(head, head_only=head_only)
        await _send_pieces(connection, request, limit_s)
        return incoming
    body = b"".join(stream)
    if len(body) <= ONE_WRITE:
        return connection.begin(head + body, head_only=head_only)
    incoming = connection.begin(head, head_only=head_only)
    await connection.write(body, limit_s)
    return incoming


async def _send_pieces(connection: Connection, request: httpx2.Request, limit_s: float | None) -> None:
    chunked = "transfer-encoding" in request.headers
    stream: Any = request.stream
    async for piece in stream:
        if piece:
            await connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece, limit_s)
    if chunked:
        await connection.write(b"0\r\n\r\n", limit_s)


def _head_of(request: httpx2.Request) -> bytes:
    """Return a request's head. Raises `httpx2.LocalProtocolError` for what would break out of its field."""
    fields = request.headers.raw
    lines = [b"%b: %b\r\n" % field for field in fields]
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode(), request.url.raw_path, b"".join(lines))
    if head.count(b"\n") != len(lines) + 2 or head.count(b"\r") != len(lines) + 2 or b"\0" in head:
        raise httpx2.LocalProtocolError("a header field or the address holds a line break")
    return head
