"""SQLite's failures in the operator's words."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# By primary result code: https://www.sqlite.org/rescode.html
_REMEDIES = {
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database; move it away, or set store.path to another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged; stop the gateway and save what is left with `sqlite3 FILE .recover`",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_READONLY: "it may not be written; give the gateway's user write permission on it and its folder",
    sqlite3.SQLITE_PERM: "access is denied; give the gateway's user write permission on it and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; its folder must exist and be writable (files are kept beside it)",
    sqlite3.SQLITE_BUSY: "another process holds it locked; end whatever else writes to it",
    sqlite3.SQLITE_IOERR: "the disk failed; check the disk and its free space (network disks are not supported)",
}
_UNKNOWN = "look the reason up at sqlite.org/rescode.html"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of SQLite's into a `StoreError` that names the file, the reason and the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors of the Python module itself carry no code; the low byte is the primary code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise StoreError(f"{path}: {error}: {_REMEDIES.get(code, _UNKNOWN)}") from error
