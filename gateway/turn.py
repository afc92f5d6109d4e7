"""Steps of a request's path, which requests that are under way at once take together."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context

#: Turns of the event loop that requests wait for others at most, while each brings some, and seconds: requests alone
#: make short turns, streams long ones.
GATHER_TURNS: Final = 6
GATHER_S: Final = 0.005
#: Steps that are taken one after another before the loop looks at what else has come. A request takes five.
IN_A_ROW: Final = 8


class Cohort:
    """Requests of one event loop that wait for each other, and then go on one after another.

    To `asyncio.Task` it looks like the future that the task waits for. So it is told how each task is woken, and runs
    them itself: else the loop would look at all sockets between any two steps, and pass on what has come for streams.
    """

    __slots__ = ("_asyncio_future_blocking", "_calls", "_goes_on", "_loop", "_waiting", "is_running")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: Whether its event loop runs: there is no other in its thread then.
        self.is_running = loop.is_running
        self._asyncio_future_blocking = False
        #: Whether the loop has been asked to go on with who waits.
        self._goes_on = False
        self._waiting: list[tuple[Callable[[Cohort], object], Context]] = []
        self._calls: list[Callable[[], object]] = []

    def __await__(self) -> Generator[Cohort]:
        """Wait for the others, as for a future."""
        self._asyncio_future_blocking = True
        yield self

    def then(self, call: Callable[[], object]) -> None:
        """Call once those who wait have taken their steps, and those who begin in this turn of the loop."""
        self._calls.append(call)
        if not self._goes_on:
            self._begin(0)

    def add_done_callback(self, wake: Callable[[Cohort], object], *, context: Context) -> None:
        """Take how a task is woken, and in which context."""
        self._waiting.append((wake, context))
        if not self._goes_on:
            self._begin(1)

    def cancel(self, msg: object = None) -> bool:
        """Leave it to the task, which finds that it is cancelled when it is woken."""
        del msg
        return False

    def result(self) -> None:
        """Return nothing: what a task is told when it is woken."""

    def _begin(self, waiting: int) -> None:
        self._goes_on = True
        self._loop.call_soon(self._gather, waiting, GATHER_TURNS, self._loop.time() + GATHER_S)

    def _gather(self, before: int, turns: int, until: float) -> None:
        """Go on, unless more have come since there were so many: then others may be about to."""
        waiting = len(self._waiting)
        if waiting == before or not turns or self._loop.time() >= until:
            self._go_on()
        else:
            self._loop.call_soon(self._gather, waiting, turns - 1, until)

    def _go_on(self) -> None:
        """Take steps, each with all who wait."""
        calls, self._calls = self._calls, []
        going_on, self._waiting = iter(self._waiting), []
        try:
            for _ in range(IN_A_ROW):
                for wake, context in going_on:
                    context.run(wake, self)
                if not self._waiting:
                    break
                going_on, self._waiting = iter(self._waiting), []
            for call in calls:
                call()
        finally:
            # A task that ends the process (`SystemExit`) ends this round, too; the others are told of it by the loop.
            self._waiting = [*going_on, *self._waiting]
            self._goes_on = False
            if self._waiting:
                self._begin(len(self._waiting))


class _Local(threading.local):
    """What belongs to one thread, in which one event loop runs at a time."""

    cohort: Cohort | None = None


_LOCAL: Final = _Local()


def turn() -> Cohort:
    """Return what to await to let the other requests come as far as this one before it goes on.

    A request runs through far more code than a processor's caches hold, so that each step finds its own as good as
    gone if requests are worked on one after another; where some ten take the same step in turn, all but the first find
    it there (Larus and Parkes, "Using Cohort Scheduling to Enhance Server Performance", USENIX 2002). With 64
    connections that saves a third of all processor time. A request that is alone loses some microseconds a turn.

    Whoever awaits it may be cancelled meanwhile. It is the same for all requests of the event loop that runs.
    """
    found = _LOCAL.cohort
    # `get_running_loop` asks the system for the process's id each time (Python 3.11), which takes as long as all this.
    if found is None or not found.is_running():
        found = _LOCAL.cohort = Cohort(asyncio.get_running_loop())
    return found
