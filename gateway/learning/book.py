"""The learner's file beside the log: how far it has read, what it has counted, and what came of that.

All of one step is written in one transaction, so that a learner that is killed goes on where it was: nothing is
counted twice, and nothing is left out.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from gateway.learning import book_schema
from gateway.learning.credit import Credit
from gateway.learning.share import Share
from gateway.store.base import Cursor
from gateway.store.failures import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.learning.caps import Caps


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one router has learned: its digest, the place in the log, and what came of it until there."""

    name: str
    digest: str
    cursor: Cursor
    share: Share

    def advanced(self, cursor: Cursor, share: Share) -> Progress:
        """Return the progress after more of the log; another share gets another version."""
        if share.same(self.share):
            return replace(self, cursor=cursor)
        return replace(self, cursor=cursor, share=replace(share, version=self.share.version + 1))

    def renumbered(self, version: int) -> Progress:
        """Return the progress with another version of the same share."""
        return replace(self, share=replace(self.share, version=version))


class Book:
    """The file of one learner. Nobody else writes to it: the lock that goes with the log sees to that."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file; lay it out where it is missing. Raises `StoreError`."""
        with translated(path):
            connection = sqlite3.connect(path, 5.0, isolation_level=None, check_same_thread=False)
            try:
                book_schema.prepare(connection)
                book_schema.check(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def close(self) -> None:
        """Close the file."""
        with translated(self._path):
            self._connection.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Write all of it or nothing. Raises `StoreError`."""
        with translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # some failures have rolled back already
                    self._connection.execute("ROLLBACK")
                raise

    def progress(self, name: str) -> Progress | None:
        """Return how far a router has learned; None where it has not begun. Raises `StoreError`."""
        query = "SELECT name, digest, log, position, mark, share FROM subjects WHERE name = ?"
        row = self._one(query, (name,))
        return None if row is None else Progress(row[0], row[1], Cursor(*row[2:5]), Share.from_bytes(row[5]))

    def keep(self, progress: Progress) -> None:
        """Note how far a router has learned. Raises `StoreError`."""
        cursor, share = progress.cursor, progress.share.to_bytes()
        row = (progress.name, progress.digest, cursor.log, cursor.position, cursor.mark, share)
        self._write("INSERT OR REPLACE INTO subjects VALUES (?,?,?,?,?,?)", [row])

    def begin(self, name: str, digest: str, version: int) -> Progress:
        """Forget what was counted for a router, and return it at the beginning. Raises `StoreError`."""
        for table in ("counted", "voices", "caps"):
            self._write(f"DELETE FROM {table} WHERE subject = ?", [(name,)])  # noqa: S608 - names of our own
        progress = Progress(name, digest, Cursor(), Share(version))
        self.keep(progress)
        return progress

    def counted(self, name: str, decisions: Sequence[UUID]) -> dict[UUID, Credit]:
        """Return what was counted of these decisions, without those of which nothing was. Raises `StoreError`."""
        found = {}
        for decision in decisions:
            row = self._one(
                "SELECT value, weight FROM counted WHERE subject = ? AND decision = ?", (name, decision.bytes)
            )
            if row is not None:
                found[decision] = Credit(weight=row[1]) if row[0] is None else Credit(*row)
        return found

    def count(self, name: str, given: Mapping[UUID, Credit]) -> None:
        """Note what is counted of decisions from now on. Raises `StoreError`."""
        # SQLite stores NaN as NULL.
        rows = [(name, decision.bytes, credit.value, credit.weight) for decision, credit in given.items()]
        self._write("INSERT OR REPLACE INTO counted VALUES (?,?,?,?)", rows)

    def voices(self, name: str, decisions: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
        """Return the steps of weight of each caller's word on these decisions, by his mark. Raises `StoreError`."""
        query = "SELECT mark, steps FROM voices WHERE subject = ? AND decision = ?"
        return {decision: dict(self._all(query, (name, decision.bytes))) for decision in decisions}

    def hear_voices(self, name: str, said: Mapping[UUID, tuple[str, Mapping[str, int]]]) -> None:
        """Note who has said something of decisions, in place of what was known: the model and the words' weights."""
        self._write(
            "DELETE FROM voices WHERE subject = ? AND decision = ?", [(name, decision.bytes) for decision in said]
        )
        rows = [
            (name, decision.bytes, model, mark, steps)
            for decision, (model, words) in said.items()
            for mark, steps in words.items()
        ]
        self._write("INSERT INTO voices VALUES (?,?,?,?,?)", rows)

    def said_by(self, name: str, model: str, mark: str) -> list[UUID]:
        """Return the decisions on whose answers, of a model, a caller has said something. Raises `StoreError`."""
        query = "SELECT decision FROM voices WHERE subject = ? AND model = ? AND mark = ? ORDER BY decision"
        return [UUID(bytes=decision) for (decision,) in self._all(query, (name, model, mark))]

    def caps(self, name: str) -> Caps:
        """Return by how many notches callers' words about models are turned down. Raises `StoreError`."""
        rows = self._all("SELECT model, mark, notches FROM caps WHERE subject = ?", (name,))
        return {(model, mark): notches for model, mark, notches in rows}

    def cap(self, name: str, caps: Caps) -> None:
        """Note by how many notches callers' words are turned down from now on. Raises `StoreError`."""
        self._write("DELETE FROM caps WHERE subject = ?", [(name,)])
        rows = [(name, model, mark, notches) for (model, mark), notches in caps.items()]
        self._write("INSERT INTO caps VALUES (?,?,?,?)", rows)

    def others(self, digest: str) -> dict[str, Share]:
        """Return what other replicas have told, by name. Raises `StoreError`."""
        rows = self._all("SELECT name, share FROM others WHERE digest = ?", (digest,))
        return {name: Share.from_bytes(share) for name, share in rows}

    def hear(self, digest: str, shares: Mapping[str, Share]) -> None:
        """Note what other replicas have told, in place of what was known. Raises `StoreError`."""
        with self.step():
            self._write("DELETE FROM others WHERE digest = ?", [(digest,)])
            rows = [(digest, name, share.to_bytes()) for name, share in shares.items()]
            self._write("INSERT INTO others VALUES (?,?,?)", rows)

    def told(self, digest: str, name: str) -> dict[int, Share]:
        """Return what was told under a name and may be with others, by version. Raises `StoreError`."""
        rows = self._all("SELECT version, share FROM told WHERE digest = ? AND name = ?", (digest, name))
        return {version: Share.from_bytes(share) for version, share in rows}

    def tell(self, digest: str, name: str, share: Share) -> None:
        """Note what is about to be told: it may arrive even if no answer does. Raises `StoreError`."""
        row = (digest, name, share.version, share.to_bytes())
        self._write("INSERT OR REPLACE INTO told VALUES (?,?,?,?)", [row])

    def settle(self, digest: str, name: str, version: int) -> None:
        """Forget what was told before a version that has arrived. Raises `StoreError`."""
        self._write("DELETE FROM told WHERE digest = ? AND name = ? AND version < ?", [(digest, name, version)])

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with translated(self._path):
            self._connection.executemany(statement, rows)

    def _one(self, query: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with translated(self._path):
            row: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
        return row

    def _all(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with translated(self._path):
            return self._connection.execute(query, values).fetchall()
