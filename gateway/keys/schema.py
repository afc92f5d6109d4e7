"""The file of keys in SQLite: its tables, how it is opened, and its failures in the operator's words."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from gateway.keys.errors import KeysAway
from gateway.store.base import StoreError
from gateway.store.failures import translated as translated_for_log
from gateway.store.schema import write_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Counts the changes to the tables below (`PRAGMA user_version`).
VERSION: Final = 1
#: Marks a file as one of keys (`PRAGMA application_id`): "PNTK".
APPLICATION_ID: Final = 0x504E544B

# Secrets are in the records as digests only. NULLs are distinct: names of keys that were revoked are free again.
_TABLES: Final = """
CREATE TABLE keys (
    id       TEXT PRIMARY KEY NOT NULL,
    name     TEXT UNIQUE,              -- NULL once it was revoked
    revision INTEGER NOT NULL,         -- counts the key's changes
    version  INTEGER NOT NULL UNIQUE,  -- the file's version when it was written
    record   TEXT NOT NULL             -- JSON
) STRICT;
CREATE TABLE state (
    epoch    TEXT NOT NULL,            -- names these data, '' while there are none
    version  INTEGER NOT NULL          -- counts what was written
) STRICT;
INSERT INTO state VALUES ('', 0)"""


def lay_out(path: Path) -> None:
    """Create the file, for its owner only, and its folder where they are missing. Raises `KeysAway`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise KeysAway(f"{path}: cannot be created: {error.strerror}: set keys.path to where it may be") from error
    with translated(path), closing(_connection(path, 5.0)) as connection:
        write_ahead(connection)
        with transaction(connection, writes=True):
            if _pragma(connection, "schema_version") == 0:
                _create(connection)
        _check(connection, path)


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the file, which must be there. Raises `sqlite3.Error`, and `KeysAway` for a file of another kind."""
    connection = _connection(path, busy_timeout_s)
    try:
        _check(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of SQLite's into a `KeysAway` that names the file, the reason and the remedy."""
    try:
        with translated_for_log(path):
            yield
    except KeysAway:
        raise
    except StoreError as error:
        raise KeysAway(str(error).replace("store.path", "keys.path")) from error


@contextmanager
def transaction(connection: sqlite3.Connection, *, writes: bool) -> Iterator[None]:
    """See one state of the file; do all or nothing where it `writes`, alone."""
    connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some failures have rolled back already
            connection.execute("ROLLBACK")
        raise


def _connection(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, busy_timeout_s, isolation_level=None, check_same_thread=False, uri=True)


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise KeysAway(f"{path} is no file of keys: set keys.path to another file")
    if (found := _pragma(connection, "user_version")) != VERSION:
        raise KeysAway(f"{path} has schema version {found}, this pointsman knows version {VERSION}: upgrade pointsman")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
