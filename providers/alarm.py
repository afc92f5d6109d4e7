"""A timer for what is limited again and again, and nearly always done in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

#: Event loops tell the time in milliseconds, and ring up to one too early.
TICK_S: Final = 0.001


class Alarm:
    """Calls `ring` once it is due, unless it is stopped before.

    To set a timer of the event loop and to cancel it takes 1.5 microseconds at best, and a request is under several
    limits; this takes 0.15. So the loop's timer stays where it is when the alarm is stopped or set anew: only when it
    fires it is looked whether the alarm is due, and how long it still takes. Only one that is wanted sooner is moved.
    """

    __slots__ = ("_due", "_timer", "_timer_at", "loop", "ring")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self.loop = loop
        self.ring = ring
        self._due = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def set(self, seconds: float) -> None:
        """Have it ring in so many seconds, and not when it was to ring before."""
        self._due = due = self.loop.time() + seconds
        if due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(seconds, self._look)
            self._timer_at = due

    def hasten(self, seconds: float) -> None:
        """Have it ring in so many seconds, unless it rings before."""
        if self.loop.time() + seconds < self._due:
            self.set(seconds)

    def stop(self) -> None:
        """Have it not ring; it may be set again."""
        self._due = math.inf

    def end(self) -> None:
        """Stop it for good: its timer would keep it alive until it fires, and it keeps whoever it rings for."""
        self.stop()
        self.ring = silent
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf

    def _look(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._due == math.inf:
            return
        left_s = self._due - self.loop.time()
        if left_s > TICK_S:
            self._timer = self.loop.call_later(left_s, self._look)
            self._timer_at = self._due
        else:
            self._due = math.inf
            self.ring()


def silent() -> None:
    """Do nothing: what an alarm calls that belongs to nobody."""
