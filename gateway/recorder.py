"""The queue between requests and the log: requests never wait for it, feedback waits until it is on disk."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.events import Event
from gateway.store.base import RefusedEventError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.base import Store

logger = logging.getLogger(__name__)

#: Events in one transaction at most; bounds how long feedback waits behind others.
MAX_BATCH: Final = 1000

#: While the store fails, seconds to the next try: doubled each time, from the first to the second.
RETRY_S: Final = (0.05, 1.0)


@dataclass(slots=True, eq=False)
class _Waiting:
    """Somebody who waits for an event to be stored: told whether it was new, or why it failed.

    Without an event it is somebody who waits for all that came before.
    """

    event: Event | None
    done: Future[bool]


#: What is on its way to the store: an event for which nobody waits goes as it is, for there is one with every request.
_Entry = Event | _Waiting


class Recorder:
    """Writes events to a store, in one thread, in batches.

    An event is committed within about `flush_interval_s` plus the time of one commit, one that somebody waits
    for at once. While the store fails, events are kept and tried again; beyond `max_queue` of them, new ones
    are dropped. `patience_s` is how long feedback waits for the disk, and how long closing goes on trying a store
    that fails. `on_dropped` is told how many were lost, `on_error` of each failure of the store; both are
    called from the event loop and from the writer's thread, and must neither block nor raise.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_dropped: Callable[[int], None],
        on_error: Callable[[StoreError], None],
        max_queue: int = 20_000,
        flush_interval_s: float = 0.05,
        patience_s: float = 5.0,
    ) -> None:
        self._store = store
        self._drops = _Drops(on_dropped)
        self._on_error = on_error
        self._max_queue = max_queue
        self._flush_interval_s = flush_interval_s
        self._patience_s = patience_s
        self._queue: deque[_Entry] = deque()
        self._urgent: deque[_Entry] = deque()
        self._batch: list[_Entry] = []
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._close_by: float | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    @property
    def pending(self) -> int:
        """How many events are not on disk yet."""
        return len(self._queue) + len(self._urgent) + len(self._batch)

    def start(self) -> None:
        """Start the writer. What was recorded before is written first."""
        self._thread.start()

    def record(self, event: Event) -> None:
        """Queue an event, in microseconds; drop it where the queue is full or closed. Call on the event loop."""
        # As `_accepts` says, without its calls: this is done twice for each request.
        if self._close_by is not None or len(self._queue) + len(self._urgent) + len(self._batch) >= self._max_queue:
            self._drops.add(1, "the queue is full" if self._close_by is None else "the recorder is closed")
            return
        self._queue.append(event)
        if not self._work.is_set():
            self._work.set()

    async def record_durably(self, event: Event) -> bool:
        """Return once an event is on disk: True if it was new, False if it was there already.

        Raises `StoreError` where the store fails, the queue is full, or the disk takes longer than
        `patience_s`; the event may still get there in the last case, so that trying again is right in all.
        """
        if not self._accepts():
            raise StoreError("the log's queue is full or closed: try again later")
        done: Future[bool] = Future()
        self._urgent.append(_Waiting(event, done))
        return await self._hurried(done)

    async def flushed(self) -> None:
        """Return once all that was recorded before is on disk. Raises `StoreError` as `record_durably` does."""
        if self._close_by is not None:
            raise StoreError("the log's queue is closed: try again later")
        done: Future[bool] = Future()
        self._queue.append(_Waiting(None, done))
        await self._hurried(done)

    async def _hurried(self, done: Future[bool]) -> bool:
        self._hurry.set()
        self._work.set()
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.wrap_future(done)
        except TimeoutError:
            raise StoreError(f"the log's disk did not answer within {self._patience_s:g} s: try again later") from None

    async def aclose(self) -> None:
        """Write what is queued, end the writer and close the store; closing twice is harmless.

        Where the store fails, it is tried for another `patience_s`; what is left then is counted as dropped.
        Raises `StoreError` where the store cannot be closed, or hangs.
        """
        if self._close_by is not None:
            return
        self._close_by = time.monotonic() + self._patience_s
        if self._thread.ident is None:
            self.start()
        self._hurry.set()
        self._work.set()
        # The margin is for a try that was under way; a disk that hangs longer must not keep the process.
        await asyncio.to_thread(self._thread.join, self._patience_s * 2)
        if self.pending:
            self._drops.add(self.pending, "the store failed until the end")
        self._drops.report()
        if self._thread.is_alive():
            raise StoreError("the log's disk hangs: what was not written is lost")
        await asyncio.to_thread(self._store.close)

    def _accepts(self) -> bool:
        return self._close_by is None and self.pending < self._max_queue

    def _run(self) -> None:
        while True:
            self._await_work()
            self._take()
            if not self._batch and self._close_by is not None:
                return
            self._write()
            if self._batch:  # given up: only when closing
                return

    def _await_work(self) -> None:
        """Sleep until there is an event, then a little for company, unless somebody waits or there is plenty."""
        if self._close_by is not None or len(self._queue) >= MAX_BATCH:
            return
        self._work.wait()
        self._hurry.wait(self._flush_interval_s)
        # Cleared before taking: what comes in between is taken now, and only wakes for nothing later.
        self._work.clear()
        self._hurry.clear()

    def _take(self) -> None:
        while self._urgent:
            self._batch.append(self._urgent.popleft())
        while self._queue and len(self._batch) < MAX_BATCH:
            self._batch.append(self._queue.popleft())
        if self._queue:  # more than a batch: there is no company to wait for
            self._work.set()
            self._hurry.set()

    def _write(self) -> None:
        """Commit the batch; keep it while the store fails, and try ever more slowly."""
        delay, longest = RETRY_S
        while self._batch:
            try:
                fresh = self._store.append([event for event in map(_event, self._batch) if event is not None])
            except RefusedEventError as error:
                self._refuse(error)
            except StoreError as error:
                self._fail(error)
                if self._close_by is not None and time.monotonic() >= self._close_by:
                    return
                time.sleep(delay)
                delay = min(2 * delay, longest)
                self._take()
            else:
                self._settle(fresh)

    def _settle(self, fresh: list[bool]) -> None:
        batch, self._batch = self._batch, []
        told = iter(fresh)
        for entry in batch:
            new = _event(entry) is None or next(told)
            if isinstance(entry, _Waiting) and entry.done.set_running_or_notify_cancel():
                entry.done.set_result(new)

    def _refuse(self, error: RefusedEventError) -> None:
        """Give up on one event, lest it hold up all that follow."""
        refused = [entry for entry in self._batch if _event(entry) is error.event]
        self._batch = [entry for entry in self._batch if _event(entry) is not error.event]
        _tell(refused, error)
        logger.error("event.refused", extra={"reason": str(error)})
        self._drops.add(len(refused), "it cannot be stored")

    def _fail(self, error: StoreError) -> None:
        """Tell those who wait, and keep the rest."""
        _tell(self._batch, error)
        self._batch = [entry for entry in self._batch if not isinstance(entry, _Waiting)]
        logger.error("store.failed", extra={"reason": str(error), "pending": self.pending})
        self._on_error(error)


def _event(entry: _Entry) -> Event | None:
    return entry.event if isinstance(entry, _Waiting) else entry


def _tell(entries: list[_Entry], error: StoreError) -> None:
    """Tell those of them who wait."""
    for entry in entries:
        if isinstance(entry, _Waiting) and entry.done.set_running_or_notify_cancel():
            entry.done.set_exception(error)


class _Drops:
    """Counts lost events, and logs them at most once a second."""

    def __init__(self, on_dropped: Callable[[int], None]) -> None:
        self._on_dropped = on_dropped
        self._lock = threading.Lock()
        self._unreported = 0
        self._next_report = 0.0

    def add(self, count: int, reason: str) -> None:
        self._on_dropped(count)
        with self._lock:
            self._unreported += count
            due = time.monotonic() >= self._next_report
        if due:
            self.report(reason)

    def report(self, reason: str = "") -> None:
        with self._lock:
            dropped, self._unreported = self._unreported, 0
            if dropped:
                self._next_report = time.monotonic() + 1
        if dropped:
            logger.error("event.dropped", extra={"dropped": dropped, "reason": reason})
