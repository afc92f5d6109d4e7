"""A time limit on what one task awaits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from providers.alarms import Alarms

if TYPE_CHECKING:
    from providers.alarm import Alarm

_ALARMS: Final = Alarms()


class TimeLimit:
    """Within it, a task that takes longer than `limit_s` is cancelled, and `TimeoutError` is raised.

    As `asyncio.timeout`, whose two coroutines and states take three times as long; every request is under some limits.
    """

    __slots__ = ("_alarm", "_cancelling", "_expired", "_limit_s", "_task")

    _alarm: Alarm
    _task: asyncio.Task[object]
    _cancelling: int

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._expired = False

    def __enter__(self) -> Self:
        """Begin to count. Raises `RuntimeError` outside of a task."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be given a time limit")
        self._task, self._cancelling = task, task.cancelling()
        self._alarm = _ALARMS.take(loop)
        self._alarm.ring = self._expire
        self.again()
        return self

    def again(self) -> None:
        """Count anew: what comes in pieces has the whole time for each."""
        self._alarm.set(self._limit_s)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Count no longer. Raises `TimeoutError` in place of the cancellation that is its own."""
        _ALARMS.give_back(self._alarm)
        # Who cancels the task for another reason at the same moment is heard.
        if self._expired and self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()
