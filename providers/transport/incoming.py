"""An answer as it comes in: its head, then its body."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx2

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

#: Bytes that may wait unread before the endpoint is made to wait.
HIGH_WATER: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """A status line and header fields, as they came."""

    status: int
    http_version: bytes
    fields: list[tuple[bytes, bytes]]


class Incoming:
    """Takes in an answer from its connection, and gives it to one reader, who may be slower.

    `flow` is told to stop (True) or go on (False) reading from the endpoint.
    """

    __slots__ = ("_ended", "_error", "_flow", "_loop", "_paused", "_pieces", "_size", "_waiter", "head")

    def __init__(self, loop: asyncio.AbstractEventLoop, flow: Callable[[bool], None]) -> None:
        self.head: Head | None = None
        self._loop = loop
        self._flow = flow
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._ended = False
        self._error: httpx2.TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def ended(self) -> bool:
        """Tell whether it has come to its end, or broken off."""
        return self._ended

    def begin(self, head: Head) -> None:
        """Take in the head."""
        self.head = head
        self._wake()

    def add(self, piece: bytes) -> None:
        """Take in a piece of the body."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > HIGH_WATER and not self._paused:
            self._paused = True
            self._flow(True)  # noqa: FBT003 - the name says what it means
        self._wake()

    def end(self, error: httpx2.TransportError | None = None) -> None:
        """Take in the end, or the reason why it did not come."""
        if not self._ended:
            self._ended, self._error = True, error
            self._wake()

    async def opened(self, limit_s: float | None) -> Head:
        """Return the head. Raises `httpx2.TransportError`, also after a silence of `limit_s`."""
        while self.head is None:
            if self._error is not None:
                raise self._error
            await self._wait(limit_s)
        return self.head

    async def next(self, limit_s: float | None) -> bytes | None:
        """Return what has come of the body since, None at its end. Raises `httpx2.TransportError`."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            await self._wait(limit_s)
        return self._taken()

    def _taken(self) -> bytes:
        piece = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            self._flow(False)  # noqa: FBT003 - the name says what it means
        return piece

    async def _wait(self, limit_s: float | None) -> None:
        self._waiter = self._loop.create_future()
        timer = None if limit_s is None else self._loop.call_later(limit_s, self._late)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _late(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(httpx2.ReadTimeout("the endpoint was silent for too long"))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
