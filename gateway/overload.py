"""Refuses what the gateway cannot take on: while its event loop is late, and beyond so many requests in flight.

Asked before anything of a request is read but its head, so that a refusal costs next to nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from gateway.errors import error_body, retry_after
from gateway.shedding import RETRY_S, Shedding

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import Counter

    from gateway.config.models import ServerConfig

logger = logging.getLogger("pointsman")

STATUS: Final = 429
#: Seconds between two looks at how late the loop is. It is looked at only while there are requests.
PERIOD_S: Final = 0.01
SAID: Final = "The gateway has more requests than it can answer in time. Try again shortly."


class Refusal:
    """The answer to those who are refused: its status, headers and body."""

    status = STATUS

    def __init__(self) -> None:
        self.body = error_body(STATUS, SAID, "overloaded")
        self.headers = {"content-type": "application/json", **retry_after(RETRY_S)}


class Overload:
    """Takes or refuses requests, for one event loop."""

    def __init__(self, settings: ServerConfig, counted: Counter, waiting: Callable[[], int]) -> None:
        self.refusal = Refusal()
        self._max_in_flight = settings.max_in_flight
        self._shedding = Shedding(settings.max_lag_s)
        self._late = counted.labels("lag")
        self._full = counted.labels("in_flight")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looked = 0.0
        #: Counts the requests whose answer has not begun.
        self._waiting = waiting
        self._sheds = False

    def admit(self, in_flight: int, *, early: bool = False) -> Refusal | None:
        """Take a request, or return how it is refused; `early` if its sender was refused less than `RETRY_S` ago."""
        if self._loop is None:
            self._look_from(asyncio.get_running_loop())
        if in_flight >= self._max_in_flight:
            self._full.inc()
            return self.refusal
        if self._shedding.takes(in_flight, early=early):
            return None
        self._late.inc()
        return self.refusal

    def _look_from(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._looked = loop, time.monotonic()
        loop.call_later(PERIOD_S, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note how late this very call is; look again where there is anything to look after."""
        shedding, now = self._shedding, time.monotonic()
        busy = shedding.taken or shedding.refused
        elapsed_s, self._looked = now - self._looked, now
        late_s = elapsed_s - PERIOD_S
        shedding.sample(late_s, elapsed_s, self._waiting() if shedding.is_suspect(late_s) else 0)
        if shedding.is_on is not self._sheds:
            self._sheds = shedding.is_on
            self._tell(late_s)
        if busy or shedding.is_on:
            loop.call_later(PERIOD_S, self._look, loop)
        else:
            self._loop = None

    def _tell(self, late_s: float) -> None:
        if self._sheds:
            logger.warning("overload.began", extra={"late_ms": round(late_s * 1000)})
        else:
            logger.warning("overload.ended")
