"""Connections that are kept, and how many there may be."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from typing import TYPE_CHECKING

import httpx2

from providers.transport.connection import Connection
from providers.transport.origin import connect

if TYPE_CHECKING:
    import ssl

    from providers.transport.origin import Origin


class Pool:
    """Lends connections, each to one request at a time; the one that was given back last goes first.

    At most `most` are open (None: any number), `most_idle` are kept, each for `idle_s` seconds. Who finds none free
    waits for one, first come, first served.
    """

    def __init__(self, tls: ssl.SSLContext, most: int | None, most_idle: float, idle_s: float) -> None:
        self._tls = tls
        self._most = most
        self._most_idle = most_idle
        self._idle_s = idle_s
        self._origins: dict[Connection, Origin] = {}
        self._idle: dict[Origin, deque[tuple[Connection, float]]] = {}
        self._idle_count = 0
        self._opening = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None

    async def lend(self, origin: Origin, connect_s: float | None, wait_s: float | None) -> Connection:
        """Return a connection that nobody uses. Raises `httpx2.PoolTimeout`, `ConnectTimeout` and `ConnectError`."""
        while True:
            if (kept := self.kept(origin)) is not None:
                return kept
            if self._most is None or len(self._origins) + self._opening < self._most or self._evict():
                return await self._open(origin, connect_s)
            await self._wait(wait_s)

    async def aclose(self) -> None:
        """Hang up on all."""
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in list(self._origins):
            connection.abort()
        await asyncio.sleep(0)

    async def _open(self, origin: Origin, limit_s: float | None) -> Connection:
        self._opening += 1
        try:
            connection = await connect(origin, lambda: Connection(self._given_back, self._lost), self._tls, limit_s)
        except BaseException:
            self._opening -= 1
            self._wake()
            raise
        self._opening -= 1
        self._origins[connection] = origin
        return connection

    def kept(self, origin: Origin) -> Connection | None:
        """Return a connection that nobody uses, where one is at hand."""
        kept = self._idle.get(origin)
        while kept:
            connection, _ = kept.pop()
            self._idle_count -= 1
            if connection.usable:
                return connection
            connection.abort()
        return None

    def _evict(self) -> bool:
        """Hang up on a connection to elsewhere that nobody uses; tell whether there was one."""
        for kept in self._idle.values():
            if kept:
                connection, _ = kept.popleft()
                self._idle_count -= 1
                self._origins.pop(connection, None)
                connection.abort()
                return True
        return False

    def _given_back(self, connection: Connection) -> None:
        origin = self._origins.get(connection)
        if origin is None or self._idle_count >= self._most_idle:
            connection.abort()
            return
        if (kept := self._idle.get(origin)) is None:
            kept = self._idle[origin] = deque()
        kept.append((connection, time.monotonic()))
        self._idle_count += 1
        if self._waiters:
            self._wake()
        if self._sweep is None and self._idle_s < math.inf:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_s, self._expire)

    def _lost(self, connection: Connection) -> None:
        origin = self._origins.pop(connection, None)
        kept = self._idle.get(origin) if origin else None
        if kept:
            left = deque(one for one in kept if one[0] is not connection)
            self._idle_count -= len(kept) - len(left)
            self._idle[origin] = left  # type: ignore[index]  # there is an origin where something is kept
        self._wake()

    def _expire(self) -> None:
        """Hang up on what nobody has used for long, and look again when the next one is due."""
        self._sweep = None
        before = time.monotonic() - self._idle_s
        for origin, kept in list(self._idle.items()):
            while kept and kept[0][1] <= before:
                connection, _ = kept.popleft()
                self._idle_count -= 1
                connection.abort()
            if not kept:
                del self._idle[origin]
        oldest = min((kept[0][1] for kept in self._idle.values()), default=None)
        if oldest is not None:
            delay = max(oldest - before, 0.05)
            self._sweep = asyncio.get_running_loop().call_later(delay, self._expire)

    async def _wait(self, limit_s: float | None) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(limit_s):
                await waiter
        except TimeoutError as error:
            raise httpx2.PoolTimeout("no connection became free in time") from error
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif waiter.cancelled():
                self._wake()  # its turn goes to the next

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
