"""The log, read on and on: feedback that comes late, what was erased, and what was seen before a restart."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.store.base import Cursor, RewoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.promotion.progress import Progress
    from gateway.store.base import LoggedEvent, Store

#: Changes read at a time.
PIECE: Final = 1000
#: Clocks of those who write one log differ by less.
MARGIN: Final = timedelta(seconds=5)


class Following:
    """Reads a log in threads: its news, from when `begin` was called first, or called again after a `rest`."""

    def __init__(self, log: Store) -> None:
        self._log = log
        self._cursor: Cursor | None = None

    async def begin(self) -> None:
        """Go to the end of the log, unless it is being read already. Raises `StoreError`."""
        if self._cursor is None:
            self._cursor = await asyncio.to_thread(self._end)

    def rest(self) -> None:
        """Read no more, until it begins again."""
        self._cursor = None

    async def news(self, count: Callable[[LoggedEvent], None]) -> None:
        """Count all that was stored since. Raises `StoreError`."""
        while True:
            try:
                events, read = await asyncio.to_thread(self._read)
            except RewoundError:
                self._cursor = await asyncio.to_thread(self._end)
                return
            for event in events:
                count(event)
            if not read:
                return

    async def restore(self, progress: Progress, count: Callable[[LoggedEvent], None]) -> None:
        """Count what the log has of a promotion's present run. Raises `StoreError`."""
        if (standing := progress.standing) is None:
            return
        logged = self._log.joined(standing.began - MARGIN, policy=progress.rules.policy)
        while events := await asyncio.to_thread(_some, logged):
            for event in events:
                count(event)

    def _end(self) -> Cursor:
        cursor = Cursor()
        while True:
            ids, cursor = self._log.changed(cursor, 10 * PIECE)
            if not ids:
                return cursor

    def _read(self) -> tuple[list[LoggedEvent], bool]:
        ids, self._cursor = self._log.changed(self._cursor or Cursor(), PIECE)
        return self._log.events(ids), bool(ids)


def _some(logged: Iterator[LoggedEvent]) -> list[LoggedEvent]:
    return list(islice(logged, PIECE))
