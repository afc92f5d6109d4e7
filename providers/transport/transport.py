"""HTTP/1.1 over connections that are kept: by httpx2's types, or by bytes; one asyncio protocol a connection below."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx2

from providers.transport.answer import Body, DirectAnswer, Whole, give_up, read_fields
from providers.transport.head import head_of
from providers.transport.incoming import OK
from providers.transport.origin import origin_of
from providers.transport.pool import Pool
from providers.transport.response import decoded
from providers.transport.sending import ONE_WRITE, send

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Mapping

    from providers.transport.connection import Connection
    from providers.transport.incoming import Head, Incoming
    from providers.transport.origin import Origin


class Call(NamedTuple):
    """A request as bytes: where it goes, its head, which says how long the body is, and its body."""

    origin: Origin
    head: bytes
    body: bytes


class Transport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 over TCP and TLS, with connections that are kept: a fraction of the work of the default transport.

    There are two ways in. By httpx2's types it honours the request's `timeout` extension: seconds to connect, between
    two pieces of the answer, to send a piece of the request, and to wait for a connection. `exchange` and `open` take a
    request as bytes, and do without those types, which are most of the work.

    An answer that is closed before its end is hung up on. A connection that the endpoint has closed meanwhile is not
    used; whether a request that was lost is sent again is the caller's business.

    `limits` are the connections that may be open and kept. `tls` says whom to trust.
    """

    def __init__(self, tls: ssl.SSLContext, limits: httpx2.Limits) -> None:
        kept = limits.max_keepalive_connections
        idle_s = limits.keepalive_expiry or math.inf
        self._pool = Pool(tls, limits.max_connections, math.inf if kept is None else kept, idle_s)

    def exchange(self, call: Call, connect_s: float, limit_s: float, most: int) -> Coroutine[Any, Any, Whole]:
        """Send a request; return its answer, of at most `most` bytes, once all of it is there. To be awaited at once.

        Raises `httpx2.HTTPError`, and that or `TimeoutError` where it takes longer than `limit_s` in all.
        """
        if len(call.body) <= ONE_WRITE and (connection := self._pool.kept(call.origin)) is not None:
            # Nothing but the answer is waited for: a future and a timer are enough.
            return _whole(connection, connection.begin(call.head + call.body), limit_s, most)
        return self._exchange(call, connect_s, limit_s, most)

    async def _exchange(self, call: Call, connect_s: float, limit_s: float, most: int) -> Whole:
        """Send a request for which no connection is at hand, or which is too long for one write."""
        async with asyncio.timeout(limit_s):
            connection, incoming = await self._begin(call, connect_s)
            return await _whole(connection, incoming, None, most)

    async def open(self, call: Call, connect_s: float) -> DirectAnswer:
        """Send a request; return its answer once its head is there. Raises `httpx2.TransportError`.

        How long it may take, once it is connected, is the caller's business.
        """
        connection, incoming = await self._begin(call, connect_s)
        try:
            head = await incoming.opened(None)
        except BaseException:
            give_up(connection, incoming)
            raise
        return DirectAnswer(head, incoming, connection)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return its answer once its head is there. Raises `httpx2.TransportError`."""
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        head = head_of(request)
        connection = await self._pool.lend(origin_of(request.url), timeouts.get("connect"), timeouts.get("pool"))
        incoming: Incoming | None = None
        try:
            incoming = await send(connection, request, head, timeouts)
            answered = await incoming.opened(timeouts.get("read"))
        except BaseException:
            give_up(connection, incoming)
            raise
        return httpx2.Response(
            answered.status,
            headers=answered.fields,
            stream=Body(incoming, connection, timeouts.get("read")),
            extensions={"http_version": b"HTTP/" + answered.http_version.encode()},
        )

    async def aclose(self) -> None:
        """Hang up on all connections."""
        await self._pool.aclose()

    async def _begin(self, call: Call, connect_s: float) -> tuple[Connection, Incoming]:
        """Send a request over a connection that is kept, or over a new one; return its answer, as it will come."""
        connection = await self._pool.lend(call.origin, connect_s, None)
        if len(call.body) <= ONE_WRITE:
            return connection, connection.begin(call.head + call.body)
        incoming = connection.begin(call.head)
        try:
            await connection.write(call.body, None)
        except BaseException:
            give_up(connection, incoming)
            raise
        return connection, incoming


async def _whole(connection: Connection, incoming: Incoming, limit_s: float | None, most: int) -> Whole:
    try:
        content = await incoming.whole(limit_s, most)
    except BaseException:
        give_up(connection, incoming)
        raise
    head = cast("Head", incoming.head)  # no body ends well without one
    if head.status != OK:
        give_up(connection, incoming)  # an error's need not have come
    answer = Whole(head.status, read_fields(head.fields), content)
    # Who compresses though asked not to is read all the same.
    return answer._replace(content=await decoded(answer, most)) if "content-encoding" in answer.headers else answer
