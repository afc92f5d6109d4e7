"""Refuses what the gateway cannot take on: more than its event loop has time for, and than may be in flight.

Asked before anything of a request is read but its head, so that a refusal costs next to nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.errors import error_body, retry_after
from gateway.resting import Rest, Resting
from gateway.shedding import MANY, RETRY_S, Shedding
from gateway.turn import turn

if TYPE_CHECKING:
    from prometheus_client import Counter

    from gateway.config.models import ServerConfig
    from gateway.connections import BoundedProtocol

logger = logging.getLogger("pointsman")

STATUS: Final = 429
#: Seconds between two looks at those who rest, and at whether it is over. Without overload nothing is looked at.
PERIOD_S: Final = 0.01
#: The share of a processor that a loop has to leave for those who ask again too soon, and how fast it is forgotten.
EASY, MEMORY = 0.5, 0.8
SAID: Final = "The gateway has more requests than it can answer in time. Try again shortly."


class Refusal:
    """The answer to those who are refused: its status, headers and body."""

    status = STATUS

    def __init__(self) -> None:
        self.body = error_body(STATUS, SAID, "overloaded")
        self.headers = {"content-type": "application/json", **retry_after(RETRY_S)}


class Overload:
    """Takes or refuses requests, for one event loop."""

    def __init__(self, settings: ServerConfig, counted: Counter) -> None:
        self.refusal = Refusal()
        #: Requests that were taken and are not answered yet: fewer than are in flight, which have something left to do.
        self.unanswered = 0
        self._resting = Resting()
        self._max_in_flight = settings.max_in_flight
        self._shedding = Shedding(settings.max_lag_s)
        self._late = counted.labels("lag")
        self._full = counted.labels("in_flight")
        #: Whether somebody has asked in this turn of the loop, and since the last look.
        self._in_turn = self._asked = False
        #: Whether it is looked at, and said, that there is overload; when somebody was refused last because of it.
        self._looks = self._told = False
        self._refused_at = 0.0
        #: When it was looked at last, the loop's processor time until then, and the share it takes of a processor.
        self._looked = self._cpu_s = 0.0
        self._busy = 1.0

    def admit(self, in_flight: int, *, early: bool = False) -> Refusal | None:
        """Take a request, or return how it is refused; `early` if its sender was refused less than `RETRY_S` ago.

        Whoever has it taken notes in `unanswered` when it is answered, or needs no answer any more.
        """
        if not self._in_turn:
            # It is called when all that have come in this turn are read, before the first is gone on with.
            self._in_turn = True
            asyncio.get_running_loop().call_soon(self._turn)
        if in_flight >= self._max_in_flight:
            self._full.inc()
            return self.refusal
        if self._shedding.takes(self.unanswered, early=early and self._busy > EASY):
            self.unanswered += 1
            return None
        self._late.inc()
        return self.refusal

    def rest(self, connection: BoundedProtocol) -> None:
        """Do not go on with a connection that was refused for a moment."""
        now = time.monotonic()
        self._resting.add(Rest(connection, self._resting), now)
        self._begin_to_look(now)

    def _turn(self) -> None:
        """Begin to work on what has come in one turn."""
        shedding, now = self._shedding, time.monotonic()
        self._in_turn, self._asked = False, True
        refused = shedding.refused
        taken = shedding.turn(now, len(self._resting))
        if refused:
            self._refused_at = now
        if taken >= MANY or refused or shedding.is_on:
            turn().then(partial(self._turned, taken, refused, now, time.thread_time()))

    def _turned(self, taken: int, refused: int, begun: float, cpu_s: float) -> None:
        """Note how long it took until those that were taken in a turn were sent on, unless they have to wait."""
        now = time.monotonic()
        self._shedding.turned(taken, now, now - begun, time.thread_time() - cpu_s)
        # Their answers take about as long again.
        asyncio.get_running_loop().call_later(now - begun, self._shedding.answered, taken)
        if refused and not self._told:
            self._told = True
            logger.warning("overload.began", extra={"late_ms": round((now - begun) * 1000)})
        if self._shedding.is_on:
            self._begin_to_look(now)

    def _begin_to_look(self, now: float) -> None:
        if not self._looks:
            self._looks, self._busy = True, 1.0
            self._look_again(now)

    def _look_again(self, now: float) -> None:
        self._looked, self._cpu_s = now, time.thread_time()
        asyncio.get_running_loop().call_later(PERIOD_S, self._look)

    def _look(self) -> None:
        """Go on with some who rest, and see whether it is over."""
        shedding, now = self._shedding, time.monotonic()
        busy = (time.thread_time() - self._cpu_s) / (now - self._looked)
        self._busy = MEMORY * self._busy + (1 - MEMORY) * busy
        if not (self._asked or self._in_turn):
            shedding.turn(now, len(self._resting))  # one in which nobody has asked
        self._asked = False
        self._resting.wake(now)
        over = not (shedding.is_on or self._resting) and now - self._refused_at >= RETRY_S
        if over and self._told:
            self._told = False
            logger.warning("overload.ended")
        self._looks = not over
        if self._looks:
            self._look_again(now)
