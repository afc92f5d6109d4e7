"""What is asked of the log's tables, on a connection that somebody else opens and closes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway.store import codec
from gateway.store.base import Cursor, LoggedEvent, RewoundError, Selection
from gateway.store.values import unicode_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from gateway.events import Feedback, Move

#: Decisions read at a time. No transaction stays open between the pieces, so that a slow reader does not keep
#: the write-ahead log from being folded back into the file.
PIECE: Final = 256

_DECISION_COLUMNS: Final = 18

_JOIN: Final = "SELECT d.*, o.* FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision_id = d.id"
_FEEDBACK: Final = "SELECT * FROM feedback WHERE decision_id IN (SELECT value FROM json_each(?)) ORDER BY at, id"
#: What reads decisions by their ids, and what is new after a change.
BY_ID: Final = """
SELECT d.*, o.* FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision_id = d.id
WHERE d.id IN (SELECT value FROM json_each(?))
"""
CHANGED: Final = "SELECT number, decision_id FROM changes WHERE number > ? ORDER BY number LIMIT ?"
_SELECTED: Final = """
SELECT id, decision_id FROM feedback
WHERE id = coalesce(:id, id) AND decision_id = coalesce(:decision_id, decision_id)
    AND caller = coalesce(:caller, caller) AND source = coalesce(:source, source)
ORDER BY at, id
"""


def statement(*, by_policy: bool, newest_first: bool) -> str:
    """Return what reads a piece of the log, by time; of one policy or of all."""
    after, direction = ("<", "DESC") if newest_first else (">", "ASC")
    return "\n".join(
        [
            _JOIN,
            f"WHERE (d.at, d.id) {after} (:at, :id) AND d.at >= :since AND d.at < :until",
            "AND d.policy = :policy" if by_policy else "",
            f"ORDER BY d.at {direction}, d.id {direction} LIMIT :wanted",
        ]
    )


def join(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> Iterator[LoggedEvent]:
    """Yield decisions, read with their outcomes, with the feedback on each."""
    ids = json.dumps([row[0] for row in rows])
    feedback: defaultdict[str, list[Feedback]] = defaultdict(list)
    for row in connection.execute(_FEEDBACK, (ids,)).fetchall():
        feedback[row[1]].append(codec.decode_feedback(row))
    for row in rows:
        outcome = row[_DECISION_COLUMNS:]
        yield LoggedEvent(
            codec.decode_decision(row[:_DECISION_COLUMNS]),
            None if outcome[0] is None else codec.decode_outcome(outcome),
            tuple(feedback[row[0]]),
        )


def events(connection: sqlite3.Connection, ids: Sequence[str]) -> Iterator[LoggedEvent]:
    """Yield the decisions of these ids that are there, in this order."""
    found = connection.execute(BY_ID, (json.dumps(ids),)).fetchall()
    rows = {row[0]: row for row in found}
    yield from join(connection, [rows[decision_id] for decision_id in ids if decision_id in rows])


def changed(connection: sqlite3.Connection, after: Cursor, limit: int) -> tuple[list[UUID], Cursor]:
    """Return what changed since, and how far that goes; see `Followed.changed`. Raises `RewoundError`."""
    (log,) = connection.execute("SELECT id FROM log").fetchone()
    if after.log:
        _check(connection, after, log)
    rows = connection.execute(CHANGED, (after.position, limit)).fetchall()
    position, mark = rows[-1] if rows else (after.position, after.mark)
    return [UUID(decision_id) for decision_id in dict.fromkeys(row[1] for row in rows)], Cursor(log, position, mark)


def _check(connection: sqlite3.Connection, cursor: Cursor, log: str) -> None:
    if cursor.log != log:
        raise rewound(cursor, log)
    row = connection.execute("SELECT decision_id FROM changes WHERE number = ?", (cursor.position,)).fetchone()
    if cursor.position and row != (cursor.mark,):
        raise rewound(cursor, log)


def rewound(cursor: Cursor, log: str) -> RewoundError:
    """Return the error of a cursor that does not belong to a log."""
    reason = f"this is log {log}" if cursor.log != log else "the log has been put back to an earlier state since"
    return RewoundError(f"change {cursor.position} of log {cursor.log}: {reason}: read it from its start")


def selected(connection: sqlite3.Connection, which: Selection) -> list[tuple[str, str]]:
    """Return the ids of feedback, each with its decision's, oldest first."""
    asked = {
        "id": unicode_text(which.id),
        "decision_id": None if which.decision_id is None else str(which.decision_id),
        "caller": unicode_text(which.caller),
        "source": unicode_text(which.source),
    }
    return connection.execute(_SELECTED, asked).fetchall()


def moves(connection: sqlite3.Connection, policy: str | None) -> list[Move]:
    """Return the moves of a policy, or of all, as they were stored."""
    rows = connection.execute(
        "SELECT * FROM moves WHERE policy = coalesce(?, policy) ORDER BY rowid", (unicode_text(policy),)
    )
    return [codec.decode_move(row) for row in rows.fetchall()]
