"""Follows one log for the routers that learn online. It knows no clock, and no other replica."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.learning.counting import Counting
from gateway.store.base import RewoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.learning.book import Book, Progress
    from gateway.learning.caps import Masses
    from gateway.learning.counting import Pupil
    from gateway.learning.subjects import Rules
    from gateway.store.base import Cursor, Followed, LoggedEvent

#: Changes of the log that are read in one step, and written in one transaction.
STEP: Final = 1000


class Learner:
    """Learns from one log. Not for use by several threads at a time.

    Feedback that is late, changed or deleted counts as if it had always been so. What is counted is in the book with
    how far the log was read, so that a learner that was killed goes on where it was.
    """

    def __init__(self, log: Followed, book: Book, pupils: Sequence[Pupil], rules: Rules, limit: int = STEP) -> None:
        self._log = log
        self._book = book
        self._limit = limit
        self._all = {pupil.subject.name: Counting(book, pupil, rules) for pupil in pupils}
        #: Routers that could not take the log in, each with the reason: they are left where they are.
        self.stuck: dict[str, str] = {}

    def progress(self, name: str) -> Progress:
        """Return how far a router has learned."""
        return self._all[name].progress

    def step(self) -> bool:
        """Count the next changes of the log, those first that some router has not seen; tell whether there were any.

        Routers that are at the same place move on together, each in a transaction of its own; one that cannot is
        `stuck`. Raises `StoreError`.
        """
        moving = [one for one in self._all.values() if one.name not in self.stuck]
        if not moving:
            return False
        cursor = min((one.progress.cursor for one in moving), key=lambda cursor: cursor.position)
        group = [one for one in moving if one.progress.cursor == cursor]
        try:
            ids, upto = self._log.changed(cursor, self._limit)
        except RewoundError:
            self._restart(group)
            return True
        if upto == cursor:
            return False
        events = self._log.events(ids)
        for one in group:
            self._advance(one, upto, events)
        return True

    def recap(self, name: str, masses: Masses) -> bool:
        """Turn down who says too much to a router, by all that is known to be said; tell whether it changed anything.

        Raises `StoreError`.
        """
        return self._all[name].recap(self._log, masses)

    def renumber(self, name: str, version: int) -> None:
        """Give what a router has learned another version. Raises `StoreError`."""
        self._all[name].renumber(version)

    def _advance(self, one: Counting, upto: Cursor, events: Sequence[LoggedEvent]) -> None:
        try:
            with self._book.step():
                progress = one.advanced(upto, events)
        except ValueError as error:
            self.stuck[one.name] = str(error)
        else:
            one.take(progress)

    def _restart(self, group: Sequence[Counting]) -> None:
        """Forget what was counted of a log that is no longer there."""
        with self._book.step():
            begun = [(one, one.forgotten()) for one in group]
        for one, progress in begun:
            one.take(progress)
