"""The log in an SQLite file: write-ahead, synchronous, one writer, any number of readers."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Self
from uuid import UUID

from gateway.events import Erasure
from gateway.store import codec, inserting, queries, schema
from gateway.store.base import Cursor, LoggedEvent, Selection, StoreError
from gateway.store.failures import translated
from gateway.store.queries import PIECE
from gateway.store.values import to_micros, unicode_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from gateway.events import Event, Feedback, Move

_FIRST, _LAST = -(2**63), 2**63 - 1


class SQLiteStore:
    """A log in one file; see `gateway.store.schema` for its tables.

    Appending uses one connection, under a lock. Every reading opens its own, so readers neither wait for the
    writer nor for each other, and may sit in other processes.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection | None) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, busy_timeout_s: float = 1.0) -> Self:
        """Open the log at `path`; unless `read_only`, create it and its folder where they are missing.

        `busy_timeout_s` is how long an append waits for another process that holds the file. Raises
        `StoreError`.
        """
        if read_only:
            _check_readable(path)
            return cls(path, None)
        _make_folder(path)
        with translated(path):
            connection = _connect(path, "rwc", busy_timeout_s)
        try:
            _prepare(connection, path)
        except StoreError:
            connection.close()
            raise
        return cls(path, connection)

    def append(self, events: Sequence[Event]) -> list[bool]:
        """Store events in one transaction, on disk on return; see `Store.append`."""
        rows = [(event, codec.encode(event)) for event in events]
        with self._lock, translated(self._path):
            connection = self._writable()
            try:
                with _transaction(connection):
                    fresh = inserting.insert_all(connection, rows)
            except inserting.NotAllNewError:
                with _transaction(connection):
                    fresh = [inserting.insert(connection, event, row) for event, row in rows]
            if any(isinstance(event, Erasure) for event in events):
                _forget(connection)
        return fresh

    def joined(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        policy: str | None = None,
        limit: int | None = None,
        *,
        newest_first: bool = False,
    ) -> Iterator[LoggedEvent]:
        """Yield decisions with what belongs to them, a piece of the log at a time; see `Store.joined`."""
        first = _FIRST if since is None else to_micros(since)
        end = _LAST if until is None else to_micros(until)
        # No id is smaller than '': the first piece starts at its bound, included upwards, excluded downwards.
        bounds = {"since": first, "until": end, "policy": policy, "id": "", "at": end if newest_first else first}
        statement = queries.statement(by_policy=policy is not None, newest_first=newest_first)
        left = _LAST if limit is None else limit
        with translated(self._path), closing(self._reader()) as connection:
            while left > 0:
                wanted = min(left, PIECE)
                rows = connection.execute(statement, {**bounds, "wanted": wanted}).fetchall()
                yield from queries.join(connection, rows)
                if len(rows) < wanted:
                    return
                left -= wanted
                bounds["id"], bounds["at"] = rows[-1][:2]

    def feedback(self, feedback_id: str) -> Feedback | None:
        """Return the feedback stored under an id; see `Store.feedback`."""
        with translated(self._path), closing(self._reader()) as connection:
            row = connection.execute("SELECT * FROM feedback WHERE id = ?", (unicode_text(feedback_id),)).fetchone()
        return None if row is None else codec.decode_feedback(row)

    def changed(self, after: Cursor, limit: int) -> tuple[list[UUID], Cursor]:
        """Return the decisions about which anything was stored since; see `Followed.changed`."""
        with translated(self._path), closing(self._reader()) as connection:
            return queries.changed(connection, after, limit)

    def events(self, ids: Sequence[UUID]) -> list[LoggedEvent]:
        """Return these decisions with what belongs to them; see `Followed.events`."""
        wanted = [str(decision_id) for decision_id in ids]
        pieces = [wanted[first : first + PIECE] for first in range(0, len(wanted), PIECE)]
        with translated(self._path), closing(self._reader()) as connection:
            return [event for piece in pieces for event in queries.events(connection, piece)]

    def erase(self, which: Selection, at: datetime) -> list[Erasure]:
        """Delete feedback for good; see `Store.erase`."""
        with self._lock, translated(self._path):
            connection = self._writable()
            with _transaction(connection):
                found = queries.selected(connection, which)
                erasures = [Erasure(feedback_id, UUID(decision_id), at) for feedback_id, decision_id in found]
                for erasure in erasures:
                    inserting.insert(connection, erasure, codec.encode(erasure))
            if erasures:
                _forget(connection)
        return erasures

    def moves(self, policy: str | None = None) -> list[Move]:
        """Return the moves between states; see `Store.moves`."""
        with translated(self._path), closing(self._reader()) as connection:
            return queries.moves(connection, policy)

    def close(self) -> None:
        """Close the file; the last one to do so folds the write-ahead log into it."""
        with self._lock, translated(self._path):
            self._closed = True
            if self._connection is not None:
                self._connection.close()

    def _writable(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self._path} is closed")
        if self._connection is None:
            raise StoreError(f"{self._path} was opened read-only: open it without read_only to append")
        return self._connection

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self._path} is closed")
        return _connect(self._path, "ro", timeout_s=5)


def _connect(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    # Any thread may use the connection: the writer's is locked, a reader's belongs to one generator.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, timeout_s, isolation_level=None, check_same_thread=False, uri=True)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot create its folder: {error.strerror}: set store.path to a folder that may be written"
        ) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    with translated(path):
        # What is deleted is overwritten: also by the migration.
        connection.execute("PRAGMA secure_delete = ON")
        if schema.is_new(connection):
            schema.create(connection)
        schema.migrate(connection)
        schema.check(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        # What undoes a statement that fails halfway is longer, for a block of rows, than what SQLite keeps in memory.
        connection.execute("PRAGMA temp_store = MEMORY")


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise StoreError(f"{path} does not exist: name the file in store.path of the configuration")
    with translated(path), closing(_connect(path, "ro", timeout_s=5)) as connection:
        schema.check(connection, path)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some failures have rolled back already
            connection.execute("ROLLBACK")
        raise


def _forget(connection: sqlite3.Connection) -> None:
    """Fold the write-ahead log, in which what was deleted may still be read, into the file and empty it.

    A reader that sits on an older state is waited for as long as another writer would be; then the next erasure, or
    closing the file, does it.
    """
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
