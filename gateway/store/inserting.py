"""Rows into the log's tables, on a connection and in a transaction that somebody else opens and ends.

What requests leave, decisions and outcomes, goes in by blocks of rows: a statement lets go of the interpreter's lock a
few times, whatever number of rows it has. Blocks take a sixth less processor time than single rows, and a good deal
less where an event loop wants the lock.
"""

from __future__ import annotations

import sqlite3
from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.events import Decision, Erasure, Event, Feedback, Move, Outcome
from gateway.store.base import RefusedEventError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.store.values import Row

#: How many rows one statement has: with any number of rows, few statements have to be prepared.
BLOCKS: Final = (32, 16, 8, 4, 2, 1)

# Of whatever is neither a text nor a number, Python looks for somebody who makes one of it, which in vain takes a fifth
# of the time of an insertion: half of an outcome's columns are None. Here is who leaves them as they are.
sqlite3.register_adapter(type(None), lambda _: None)
sqlite3.register_adapter(bytes, bytes)

#: Of each kind its table, how many columns that has, and its key. A conflict on the key is a repeat; any other
#: violation is an error, which INSERT OR IGNORE would hide.
_TABLES: Final[dict[type[Event], tuple[str, int, str]]] = {
    Decision: ("decisions", 18, "id"),
    Outcome: ("outcomes", 21, "decision_id"),
    Feedback: ("feedback", 11, "id"),
    Erasure: ("erasures", 3, "feedback_id"),
    Move: ("moves", 10, "id"),
}


def _statement(table: str, columns: int, key: str, rows: int) -> str:
    row = f"({','.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {','.join([row] * rows)} ON CONFLICT ({key}) DO NOTHING"  # noqa: S608 - ours


#: What stores so many rows of a kind.
_STATEMENTS: Final = {kind: {rows: _statement(*table, rows) for rows in BLOCKS} for kind, table in _TABLES.items()}
#: What SQLite says of a row that its table does not take.
_UNFIT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


class NotAllNewError(Exception):
    """A block has a row that was there already, or that cannot be stored: only one by one they tell which."""


def insert(connection: sqlite3.Connection, event: Event, row: Row) -> bool:
    """Store one row; tell whether it was new. Raises `RefusedEventError`."""
    try:
        return connection.execute(_STATEMENTS[type(event)][1], row).rowcount == 1
    except _UNFIT as error:
        raise RefusedEventError(event, str(error)) from error


def insert_all(connection: sqlite3.Connection, rows: Iterable[tuple[Event, Row]]) -> list[bool]:
    """Store rows; tell of each whether it was new. Raises `NotAllNewError`, or `RefusedEventError`.

    Decisions and outcomes go in by blocks, and before the rest: neither of them has to do with what others say. After
    an error the transaction has to be rolled back.
    """
    fresh: list[bool] = []
    blocks: dict[type[Event], list[Row]] = {Decision: [], Outcome: []}
    others: list[tuple[int, Event, Row]] = []
    for event, row in rows:
        if (block := blocks.get(type(event))) is not None:
            block.append(row)
        else:
            others.append((len(fresh), event, row))
        fresh.append(True)
    for kind, block in blocks.items():
        _insert_block(connection, kind, block)
    for place, event, row in others:
        fresh[place] = insert(connection, event, row)
    return fresh


def _insert_block(connection: sqlite3.Connection, kind: type[Event], rows: Sequence[Row]) -> None:
    """Store rows of one kind, all of them new. Raises `NotAllNewError`."""
    first, statements = 0, _STATEMENTS[kind]
    while left := len(rows) - first:
        size = next(size for size in BLOCKS if size <= left)
        values = tuple(chain.from_iterable(rows[first : first + size]))
        try:
            stored = connection.execute(statements[size], values).rowcount
        except _UNFIT as error:
            raise NotAllNewError from error
        if stored < size:
            raise NotAllNewError
        first += size
