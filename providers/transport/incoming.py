"""An answer as it comes in: its head, then its body."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx2

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from providers.alarm import Alarm

#: The status of an answer; every other one is an error's.
OK: Final = 200
#: Seconds that an error's body may take once its head is there. Bodies of errors are short and come with their heads;
#: the head has said what to do, and nobody else is asked while the body is waited for.
ERROR_BODY_S: Final = 1.0
#: Bytes that may wait unread before the endpoint is made to wait.
HIGH_WATER: Final = 256 * 1024


class TooLarge(httpx2.TransportError):
    """An answer that is read whole is larger than its reader takes."""


class Head(NamedTuple):
    """A status line and header fields, as they came."""

    status: int
    http_version: str
    fields: list[tuple[bytes, bytes]]


class Incoming:
    """Takes in an answer from its connection, and gives it to one reader, who may be slower.

    `flow` is told to stop (True) or go on (False) reading from the endpoint. `alarm` is the connection's, for `late`.
    """

    __slots__ = (
        "_alarm",
        "_error",
        "_flow",
        "_loop",
        "_most",
        "_pieces",
        "_size",
        "_take",
        "_waiter",
        "_whole",
        "ended",
        "head",
        "paused",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, flow: Callable[[bool], None], alarm: Alarm) -> None:
        self.head: Head | None = None
        #: Whether it has come to its end, or broken off.
        self.ended = False
        #: Whether the endpoint is made to wait.
        self.paused = False
        self._loop = loop
        self._flow = flow
        self._alarm = alarm
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._most = HIGH_WATER
        self._whole = False
        self._take: Callable[[bytes], bool] | None = None
        self._error: httpx2.TransportError | None = None
        self._waiter: asyncio.Future[bool] | None = None

    @property
    def complete(self) -> bool:
        """Tell whether all of it has come; its connection is no business of its reader any more."""
        return self.ended and self._error is None

    def begin(self, head: Head) -> None:
        """Take in the head."""
        self.head = head
        if not self._whole:
            self._wake()
        elif head.status != OK:
            self._alarm.hasten(ERROR_BODY_S)

    def add(self, piece: bytes) -> None:
        """Take in a piece of the body."""
        take, waiter = self._take, self._waiter
        if take is not None and waiter is not None and not waiter.done():
            try:
                if not take(piece):
                    return
            except Exception as error:  # noqa: BLE001 - what is wrong is the business of who waits for the body
                waiter.set_exception(error)
            else:
                waiter.set_result(True)
            self._take = None
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._most:
            self._overflow()
        if not self._whole:
            self._wake()

    def end(self, error: httpx2.TransportError | None = None) -> None:
        """Take in the end, or the reason why it did not come."""
        if not self.ended:
            self.ended, self._error = True, error
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
            if self.ended:
                return None
            await self._wait(limit_s)
        return self._taken()

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """Give `take` what comes of the body, until it returns True, and return True; at its end return False.

        It is called while the bytes are read, so that no task has to be woken for them. Raises `httpx2.TransportError`,
        and what `take` raises.
        """
        while True:
            if self._pieces:
                if take(self._taken()):
                    return True
            elif self._error is not None:
                raise self._error
            elif self.ended:
                return False
            elif await self._poured(take):
                return True

    async def _poured(self, take: Callable[[bytes], bool]) -> bool:
        """Wait until the body has come to its end, or `take` wants no more of it; tell whether that is why."""
        self._take, self._waiter = take, self._loop.create_future()
        try:
            return await self._waiter
        finally:
            self._take = self._waiter = None

    def interrupt(self, error: httpx2.TransportError) -> None:
        """End the wait of a reader that waits, with an error: what has come meanwhile is not lost."""
        if self._waiter is not None and not self._waiter.done():
            self.end(error)

    async def whole(self, limit_s: float | None, most: int) -> bytes:
        """Return what has not been read of the body once all has come, up to `most` bytes: the reader is woken once.

        An error's is empty where it breaks off, or takes longer than `ERROR_BODY_S` after its head. Raises
        `httpx2.TransportError`, also where all takes longer than `limit_s`, and `TooLarge`.
        """
        self._most, self._whole = most, True
        if self._size > most:
            self._overflow()
        elif self.paused:
            self._go_on()
        if self.head is not None and self.head.status != OK:
            limit_s = ERROR_BODY_S if limit_s is None else min(limit_s, ERROR_BODY_S)
        try:
            if not self.ended:
                await self._wait(limit_s)  # nothing else wakes who waits for the end
            if self._error is not None:
                raise self._error
        except httpx2.TransportError:
            if self.head is None or self.head.status == OK:
                raise
            return b""
        return self._taken() if self._pieces else b""

    def _taken(self) -> bytes:
        piece = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self.paused:
            self._go_on()
        return piece

    def _overflow(self) -> None:
        """Have the endpoint wait for a slower reader; where the reader waits for the end, it is too much."""
        if self._whole:
            self.end(TooLarge(f"the answer has more than {self._most} bytes"))
        elif not self.paused:
            self.paused = True
            self._flow(True)  # noqa: FBT003 - the name says what it means

    def _go_on(self) -> None:
        self.paused = False
        self._flow(False)  # noqa: FBT003 - the name says what it means

    async def _wait(self, limit_s: float | None) -> None:
        self._waiter = self._loop.create_future()
        if limit_s is not None:
            self._alarm.set(limit_s)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._alarm.stop()

    def late(self) -> None:
        """End the wait of a reader that has waited long enough."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(httpx2.ReadTimeout("the endpoint was silent for too long"))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(False)
