"""The log in memory: for tests, and for those who keep none."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gateway.events import Decision, Event, Feedback, Outcome
from gateway.store import codec
from gateway.store.base import LoggedEvent, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


class MemoryStore:
    """A log that ends with the process. Events are kept as rows, so that they come back as from a file."""

    def __init__(self) -> None:
        self._rows: dict[tuple[type[Event], str], codec.Row] = {}
        self._feedback: dict[str, list[codec.Row]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def append(self, events: Sequence[Event]) -> list[bool]:
        """Store events, all or none; see `Store.append`."""
        rows = [(type(event), codec.encode(event)) for event in events]
        with self._lock:
            self._check_open()
            return [self._insert(kind, row) for kind, row in rows]

    def joined(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        policy: str | None = None,
        limit: int | None = None,
        *,
        newest_first: bool = False,
    ) -> Iterator[LoggedEvent]:
        """Yield the decisions that are there at the call, with what belongs to them; see `Store.joined`."""
        with self._lock:
            self._check_open()
            rows = [row for (kind, _), row in self._rows.items() if kind is Decision]
        decisions = [d for d in map(codec.decode_decision, rows) if _asked_for(d, since, until, policy)]
        decisions.sort(key=lambda decision: (decision.at, decision.id), reverse=newest_first)
        for decision in decisions[: None if limit is None else max(limit, 0)]:
            yield self._join(decision)

    def feedback(self, feedback_id: str) -> Feedback | None:
        """Return the feedback stored under an id; see `Store.feedback`."""
        with self._lock:
            self._check_open()
            row = self._rows.get((Feedback, str(codec.unicode_text(feedback_id))))
        return None if row is None else codec.decode_feedback(row)

    def close(self) -> None:
        """Refuse further use."""
        with self._lock:
            self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the log in memory is closed")

    def _insert(self, kind: type[Event], row: codec.Row) -> bool:
        key = (kind, str(row[0]))
        if key in self._rows:
            return False
        self._rows[key] = row
        if kind is Feedback:
            self._feedback.setdefault(str(row[1]), []).append(row)
        return True

    def _join(self, decision: Decision) -> LoggedEvent:
        with self._lock:
            outcome = self._rows.get((Outcome, str(decision.id)))
            rows = list(self._feedback.get(str(decision.id), ()))
        feedback = sorted(map(codec.decode_feedback, rows), key=lambda given: (given.at, given.id))
        return LoggedEvent(decision, None if outcome is None else codec.decode_outcome(outcome), tuple(feedback))


def _asked_for(decision: Decision, since: datetime | None, until: datetime | None, policy: str | None) -> bool:
    return (
        (since is None or since <= decision.at)
        and (until is None or decision.at < until)
        and policy in {None, decision.policy}
    )
