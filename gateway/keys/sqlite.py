"""Keys in an SQLite file of their own: write-ahead, synchronous, any number of processes."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from gateway.keys import schema
from gateway.keys.codec import decode, encode
from gateway.keys.errors import KeysAway
from gateway.keys.store import PAGE, Changes, changed_meanwhile, name_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.keys.key import VirtualKey

Answer = TypeVar("Answer")

#: Seconds that a change waits for another process that writes.
BUSY_S = 1.0

_PUT = (
    "INSERT INTO keys VALUES (:id, :name, :revision, :version, :record) ON CONFLICT (id) DO UPDATE "
    "SET name = :name, revision = :revision, version = :version, record = :record"
)


class SQLiteKeyStore:
    """The keys of one file. All is done in one thread, so that a busy pool of threads cannot hold a revocation up."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keys")
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def open(self) -> None:
        """Create the file and its folder where they are missing. Raises `KeysAway`."""
        await self._run(lambda: schema.lay_out(self._path))

    async def changes(self, since: int) -> Changes:
        """Return what was written after a version; see `KeyStore.changes`."""
        return await self._run(lambda: self._answer(lambda connection: _changes(connection, since), writes=False))

    async def put(self, key: VirtualKey) -> None:
        """Store the next state of a key; see `KeyStore.put`."""
        await self._run(lambda: self._answer(lambda connection: _put(connection, key), writes=True))

    async def restore(self, keys: Sequence[VirtualKey]) -> None:
        """Store what is later than what is stored; see `KeyStore.restore`."""
        await self._run(lambda: self._answer(lambda connection: _restore(connection, keys), writes=True))

    async def aclose(self) -> None:
        """Close the file."""
        if self._connection is not None:
            await self._run(self._connection.close)
            self._connection = None
        self._thread.shutdown()

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _answer(self, query: Callable[[sqlite3.Connection], Answer], *, writes: bool) -> Answer:
        with schema.translated(self._path):
            connection = self._connected()
            with schema.transaction(connection, writes=writes):
                return query(connection)

    def _connected(self) -> sqlite3.Connection:
        """Return the connection; another one where another file has taken the place of the one that was opened."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeysAway(f"{self._path}: {error.strerror}: put the file back, or start the gateway anew") from error
        file = status.st_dev, status.st_ino
        if self._connection is None or file != self._file:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._connection, self._file = schema.connect(self._path, BUSY_S), file
        return self._connection


def _changes(connection: sqlite3.Connection, since: int) -> Changes:
    epoch, version = connection.execute("SELECT epoch, version FROM state").fetchone()
    query = "SELECT record, version FROM keys WHERE version > ? ORDER BY version LIMIT ?"
    rows = connection.execute(query, (since, PAGE)).fetchall()
    upto = rows[-1][1] if len(rows) == PAGE else version
    return Changes(epoch, version, upto, tuple(decode(record) for record, _ in rows))


def _put(connection: sqlite3.Connection, key: VirtualKey) -> None:
    record = encode(key)
    row = connection.execute("SELECT revision, record FROM keys WHERE id = ?", (key.id,)).fetchone()
    revision, stored = row or (0, None)
    if stored == record:
        return
    if revision != key.revision - 1:
        raise changed_meanwhile(key)
    try:
        _write(connection, key, _name(key), record)
    except sqlite3.IntegrityError as error:
        raise name_taken(key) from error


def _restore(connection: sqlite3.Connection, keys: Sequence[VirtualKey]) -> None:
    for key in keys:
        row = connection.execute("SELECT revision FROM keys WHERE id = ?", (key.id,)).fetchone()
        if row is None or row[0] < key.revision:
            taken = "SELECT 1 FROM keys WHERE name = ? AND id <> ?"
            name = None if connection.execute(taken, (key.name, key.id)).fetchone() else _name(key)
            _write(connection, key, name, encode(key))


def _write(connection: sqlite3.Connection, key: VirtualKey, name: str | None, record: str) -> None:
    state = "UPDATE state SET version = version + 1, epoch = CASE epoch WHEN '' THEN ? ELSE epoch END RETURNING version"
    (version,) = connection.execute(state, (uuid4().hex,)).fetchone()
    row = {"id": key.id, "name": name, "revision": key.revision, "version": version, "record": record}
    connection.execute(_PUT, row)


def _name(key: VirtualKey) -> str | None:
    """Return the name as far as it is taken: that of a key which was revoked is free again."""
    return None if key.revoked_at is not None else key.name
