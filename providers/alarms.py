"""Alarms that are kept for the next who needs one: every request is under some limits, and most never ring."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from providers.alarm import Alarm, silent

if TYPE_CHECKING:
    import asyncio

#: Alarms that are kept for later at most.
KEPT: Final = 256


class Alarms(threading.local):
    """Those of this thread's event loop that nobody needs at the moment."""

    loop: asyncio.AbstractEventLoop | None = None
    free: list[Alarm]

    def take(self, loop: asyncio.AbstractEventLoop) -> Alarm:
        """Return an alarm that nobody needs."""
        if self.loop is not loop:
            self.loop, self.free = loop, []
        return self.free.pop() if self.free else Alarm(loop, silent)

    def give_back(self, alarm: Alarm) -> None:
        """Have it be taken by the next; what it rang for is not kept alive."""
        # A coroutine that was never finished is closed at any time, after its loop.
        if self.loop is alarm.loop and len(self.free) < KEPT:
            alarm.stop()
            alarm.ring = silent
            self.free.append(alarm)
        else:
            alarm.end()
