"""The log in memory: for tests, and for those who keep none."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.events import Decision, Erasure, Event, Feedback, Move, Outcome
from gateway.store import codec
from gateway.store.base import Cursor, LoggedEvent, Selection, StoreError
from gateway.store.queries import rewound
from gateway.store.values import Row, unicode_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


class MemoryStore:
    """A log that ends with the process. Events are kept as rows, so that they come back as from a file."""

    def __init__(self) -> None:
        self._rows: dict[tuple[type[Event], str], Row] = {}
        self._feedback: dict[str, list[Row]] = {}
        self._changes: list[str] = []
        self._id = secrets.token_hex(16)
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
            row = self._rows.get((Feedback, str(unicode_text(feedback_id))))
        return None if row is None else codec.decode_feedback(row)

    def changed(self, after: Cursor, limit: int) -> tuple[list[UUID], Cursor]:
        """Return the decisions about which anything was stored since; see `Followed.changed`."""
        with self._lock:
            self._check_open()
            if after.log and (after.log != self._id or after.position > len(self._changes)):
                raise rewound(after, self._id)
            new = self._changes[after.position : after.position + limit]
        mark = new[-1] if new else after.mark
        return [UUID(decision_id) for decision_id in dict.fromkeys(new)], Cursor(
            self._id, after.position + len(new), mark
        )

    def events(self, ids: Sequence[UUID]) -> list[LoggedEvent]:
        """Return these decisions with what belongs to them; see `Followed.events`."""
        with self._lock:
            self._check_open()
            rows = [self._rows.get((Decision, str(decision_id))) for decision_id in ids]
        return [self._join(codec.decode_decision(row)) for row in rows if row is not None]

    def erase(self, which: Selection, at: datetime) -> list[Erasure]:
        """Delete feedback for good; see `Store.erase`."""
        with self._lock:
            self._check_open()
            kept = [codec.decode_feedback(row) for rows in self._feedback.values() for row in rows]
            found = sorted((one for one in kept if _meant(one, which)), key=lambda one: (one.at, one.id))
            erasures = [Erasure(one.id, one.decision_id, at) for one in found]
            for erasure in erasures:
                self._insert(Erasure, codec.encode(erasure))
        return erasures

    def moves(self, policy: str | None = None) -> list[Move]:
        """Return the moves between states; see `Store.moves`."""
        with self._lock:
            self._check_open()
            rows = [row for (kind, _), row in self._rows.items() if kind is Move]
        return [move for move in map(codec.decode_move, rows) if policy in {None, move.policy}]

    def close(self) -> None:
        """Refuse further use."""
        with self._lock:
            self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the log in memory is closed")

    def _insert(self, kind: type[Event], row: Row) -> bool:
        key = (kind, str(row[0]))
        if key in self._rows or (kind is Feedback and (Erasure, key[1]) in self._rows):
            return False
        self._rows[key] = row
        if kind in (Decision, Outcome):
            self._changes.append(key[1])
        if kind is Feedback:
            self._changes.append(str(row[1]))
            self._feedback.setdefault(str(row[1]), []).append(row)
        if kind is Erasure and (erased := self._rows.pop((Feedback, key[1]), None)) is not None:
            self._changes.append(str(erased[1]))
            self._feedback[str(erased[1])].remove(erased)
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


def _meant(feedback: Feedback, which: Selection) -> bool:
    return (
        which.id in {None, feedback.id}
        and which.decision_id in {None, feedback.decision_id}
        and which.caller in {None, feedback.caller}
        and which.source in {None, feedback.source}
    )
