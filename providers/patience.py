"""How long the next piece of a stream may take."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable


class Silence(httpx2.ReadTimeout):
    """An endpoint did not send what it had to send in time; the message says what, in words that follow its name."""


class Patience:
    """Calls `interrupt` with a `Silence` where a wait takes `gap_s`, or lasts at `deadline`, by the monotonic clock.

    There is one timer for all the waits of a stream. It is not moved with every piece, which would cost a tenth of what
    a piece costs in all; when it fires it looks since when there has been silence, and waits for the rest.
    """

    __slots__ = ("_deadline", "_gap_s", "_interrupt", "_since", "_timer", "_waits")

    def __init__(self, gap_s: float, deadline: float, interrupt: Callable[[Silence], None]) -> None:
        self._gap_s = gap_s
        self._deadline = deadline
        self._interrupt = interrupt
        self._since = 0.0
        self._waits = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin a wait. Raises `Silence` at the deadline."""
        self._since = time.monotonic()
        if self._since >= self._deadline:
            # What is there already would be read without waiting, so that no timer would ever fire.
            raise Silence("did not end the stream in time")
        self._waits = True
        if self._timer is None:
            self._set_timer(min(self._gap_s, self._deadline - self._since))

    def pause(self) -> None:
        """End the wait: what came is passed on, for which a slow reader has any time."""
        self._waits = False

    def end(self) -> None:
        """Forget the timer: nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._waits:
            return
        due = min(self._since + self._gap_s, self._deadline)
        left_s = due - time.monotonic()
        if left_s > 0:
            self._set_timer(left_s)
        else:
            self._interrupt(Silence(f"sent nothing more within {due - self._since:.3g} s"))
