"""A request on its way out: whole, or piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.transport.connection import Connection
    from providers.transport.incoming import Incoming

#: A body up to this size goes out with the head, in one write.
ONE_WRITE: Final = 64 * 1024


async def send(
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
