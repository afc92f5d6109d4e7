"""The tables of a learner's file, and their version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.store.base import StoreError
from gateway.store.schema import write_ahead

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

#: Counts the changes to the tables below (`PRAGMA user_version`).
VERSION: Final = 1
#: Marks a file as a learner's (`PRAGMA application_id`): "PNTB".
APPLICATION_ID: Final = 0x504E5442

_TABLES: Final = """
CREATE TABLE subjects (
    name     TEXT PRIMARY KEY NOT NULL,  -- the policy, or policy/rule
    digest   TEXT NOT NULL,              -- of all that its sums depend on
    log      TEXT NOT NULL,              -- how far the log was read: its id, and the last change
    position INTEGER NOT NULL,
    mark     TEXT NOT NULL,
    share    BLOB NOT NULL               -- what came of it: rows, latest, version, sums
) STRICT;
CREATE TABLE counted (
    subject  TEXT NOT NULL,
    decision BLOB NOT NULL,              -- its 16 bytes
    value    REAL,                       -- the reward that was counted; NULL: nobody has rated it
    weight   REAL NOT NULL,
    PRIMARY KEY (subject, decision)
) STRICT, WITHOUT ROWID;
CREATE TABLE voices (                    -- who has said something of an answer, by his mark
    subject  TEXT NOT NULL,
    decision BLOB NOT NULL,
    model    TEXT NOT NULL,
    mark     TEXT NOT NULL,
    steps    INTEGER NOT NULL,           -- the weight of it
    PRIMARY KEY (subject, decision, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX voices_by_mark ON voices (subject, model, mark);
CREATE TABLE caps (                      -- whose words are turned down, and by how many notches
    subject  TEXT NOT NULL,
    model    TEXT NOT NULL,
    mark     TEXT NOT NULL,
    notches  INTEGER NOT NULL,
    PRIMARY KEY (subject, model, mark)
) STRICT;
CREATE TABLE others (                    -- what other replicas have learned, as they told it
    digest   TEXT NOT NULL,
    name     TEXT NOT NULL,
    share    BLOB NOT NULL,
    PRIMARY KEY (digest, name)
) STRICT;
CREATE TABLE told (                      -- what was told to the other replicas, and may be with them
    digest   TEXT NOT NULL,
    name     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    share    BLOB NOT NULL,
    PRIMARY KEY (digest, name, version)
) STRICT"""


def prepare(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log, and lay an empty file out. Raises `sqlite3.Error`."""
    write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if _pragma(connection, "schema_version") == 0:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` for a file of another kind, or of another version."""
    if _pragma(connection, "application_id") != APPLICATION_ID or _pragma(connection, "user_version") != VERSION:
        raise StoreError(f"{path} is no file of this version's learner: move it away, and the log is read anew")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
