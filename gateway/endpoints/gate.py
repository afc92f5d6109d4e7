"""The way into an endpoint: so many requests at once, and a bounded queue in front, by priority and then by age."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.endpoints.concurrency import ConcurrencyLimit

#: Requests that wait for one endpoint at most, where nothing else is set.
QUEUE: Final = 1000
#: Seconds that a request waits at most.
QUEUE_S: Final = 10.0


class NoRoom(Exception):
    """The queue is full of requests that go first, or waiting took too long."""


@dataclass(order=True, slots=True)
class _Waiting:
    """One that waits; the order is that in which they are let in."""

    rank: tuple[int, int]
    turn: asyncio.Future[None] = field(compare=False)


@dataclass(slots=True)
class Gate:
    """Counts what is in flight, and lets in as many as the limit says."""

    limit: ConcurrencyLimit
    queue: int = QUEUE
    queue_s: float = QUEUE_S
    in_flight: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return sum(not one.turn.done() for one in self._waiting) if self._waiting else 0

    @property
    def has_room(self) -> bool:
        """Tell whether a request would be let in at once."""
        return self.limit.has_room(self.in_flight) and not self.waiting

    def enter(self) -> None:
        """Let a request in, whether there is room or not."""
        self.in_flight += 1

    async def wait(self, priority: int, left_s: float) -> None:
        """Let a request in that has `left_s` seconds, once it is its turn: higher priority first, then who came first.

        A full queue sends away whoever is last in it. Raises `NoRoom`.
        """
        if self.has_room:
            self.enter()
            return
        one, patience_s = self._queued(priority), min(left_s, self.queue_s)
        try:
            async with asyncio.timeout(patience_s):
                await one.turn
        except TimeoutError as error:
            self._gave_up(one)
            raise NoRoom(f"no room within {patience_s:.3g} s") from error
        except asyncio.CancelledError:
            self._gave_up(one)
            raise

    def leave(self) -> None:
        """Note that a request has ended, and let the next ones in."""
        self.in_flight -= 1
        self.let_in()

    def let_in(self) -> None:
        """Let in as many as there is room for."""
        while self._waiting and self.limit.has_room(self.in_flight):
            one = heapq.heappop(self._waiting)
            if not one.turn.done():
                self.enter()
                one.turn.set_result(None)

    def resize(self, other: Gate) -> None:
        """Take the limits of another gate; who is in or waits stays."""
        self.queue, self.queue_s = other.queue, other.queue_s
        self.limit.bound(other.limit)
        self.let_in()

    def _gave_up(self, one: _Waiting) -> None:
        """Let nobody wait for one that is gone; it may have been let in at the very moment in which it gave up."""
        if one.turn.done() and not one.turn.cancelled() and one.turn.exception() is None:
            self.leave()
        one.turn.cancel()

    def _queued(self, priority: int) -> _Waiting:
        self._waiting = [one for one in self._waiting if not one.turn.done()]
        heapq.heapify(self._waiting)
        one = _Waiting((-priority, next(self._numbers)), asyncio.get_running_loop().create_future())
        if len(self._waiting) >= self.queue:
            last = max(self._waiting, default=one)
            if last <= one:
                raise NoRoom(f"{len(self._waiting)} requests wait already")
            last.turn.set_exception(NoRoom("a request of higher priority took its place"))
        heapq.heappush(self._waiting, one)
        return one
