"""The log's tables in SQLite, and their version.

To look around with the `sqlite3` shell:

    SELECT datetime(d.at / 1e6, 'unixepoch') AS time, d.policy, o.served_by, o.status, o.cost_nano_usd / 1e9 AS usd
    FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision_id = d.id ORDER BY d.at DESC LIMIT 20;
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Final

from gateway.store.base import StoreError
from gateway.store.tables import MIGRATIONS, TABLES

if TYPE_CHECKING:
    from pathlib import Path

#: Tries to change the mode of a file, and the seconds between two of them.
TRIES: Final = 100
PAUSE_S: Final = 0.02

#: Of a new file, in bytes: a decision takes about two kilobytes, of which one fits into a page of SQLite's usual size,
#: and three into this one, so that fewer pages are written, each of them twice.
PAGE_SIZE: Final = 8192

#: Counts the changes to the tables (`PRAGMA user_version`).
VERSION = 5

#: Marks a file as this log's (`PRAGMA application_id`): "PNTS".
APPLICATION_ID = 0x504E5453


def is_new(connection: sqlite3.Connection) -> bool:
    """Tell whether the file holds nothing yet."""
    return _pragma(connection, "schema_version") == 0


def write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. Raises `sqlite3.OperationalError` where others hold the file for long.

    Who changes the mode does not wait for another that does so in the same moment, whatever its time limit.
    """
    for _ in range(TRIES - 1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(PAUSE_S)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def create(connection: sqlite3.Connection) -> None:
    """Lay out an empty file: write-ahead log, tables, version.

    The first of several processes does it.
    """
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    write_ahead(connection)
    connection.execute("BEGIN IMMEDIATE")
    if is_new(connection):
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a log of an older version up to this one, whole or not at all; the first of several processes does it."""
    if _pragma(connection, "application_id") != APPLICATION_ID or _pragma(connection, "user_version") not in MIGRATIONS:
        return
    connection.execute("BEGIN IMMEDIATE")
    while (found := _pragma(connection, "user_version")) in MIGRATIONS:
        for statement in MIGRATIONS[found]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {found + 1}")
    connection.execute("COMMIT")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` unless the file is a log of this version."""
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program: set store.path to another file")
    found = _pragma(connection, "user_version")
    if found != VERSION:
        remedy = "upgrade pointsman" if found > VERSION else "serve with it once, which brings it up to date"
        raise StoreError(
            f"{path} has schema version {found}, this pointsman knows version {VERSION}: "
            f"{remedy}, or set store.path to another file"
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
