"""Embeddings on disk: a text that an encoder has seen once is never encoded again."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routers.types import FloatArray

FILE = "embeddings.sqlite"
#: How long to wait for another process that is writing.
BUSY_S = 60.0
#: Little-endian, so that the file may travel.
NUMBERS = np.dtype("<f4")


class CacheError(Exception):
    """The cache of embeddings cannot be used; the message names the file and the remedy."""


def default_folder(environment: Mapping[str, str]) -> Path:
    """Return where caches go: `$POINTSMAN_CACHE`, `$XDG_CACHE_HOME/pointsman` or `~/.cache/pointsman`."""
    if own := environment.get("POINTSMAN_CACHE"):
        return Path(own).expanduser()
    caches = Path(environment.get("XDG_CACHE_HOME", ""))
    # The desktop's rule: a path that is relative counts as none.
    return (caches if caches.is_absolute() else Path("~/.cache").expanduser()) / "pointsman"


class EmbeddingCache:
    """Vectors by text and encoder, in one SQLite file in `folder`; it holds no text, and grows until it is cleared.

    Every operation opens the file anew and is one transaction: any number of processes may share it, and one that
    is killed leaves what it had added. All methods raise `CacheError`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, vectors: FloatArray, texts: Sequence[str], digest: str) -> list[int]:
        """Put the vectors of the texts into the rows of `vectors` `[n, d]`; return the rows of which there is none.

        `digest` is the encoder's.
        """
        missing = []
        with self._opened() as connection:
            for row, text in enumerate(texts):
                found = connection.execute("SELECT vector FROM vectors WHERE key = ?", (_key(text, digest),)).fetchone()
                if found is None:
                    missing.append(row)
                else:
                    vectors[row] = self._vector(found[0], vectors.shape[1])
        return missing

    def add(self, texts: Sequence[str], digest: str, vectors: FloatArray) -> None:
        """Keep the vectors `[n, d]` of some texts; a text that is there already stays as it is."""
        rows = [
            (_key(text, digest), vector.astype(NUMBERS).tobytes()) for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
            connection.execute("COMMIT")

    def clear(self) -> None:
        """Forget all vectors, of every encoder, and give the space back."""
        with self._opened() as connection:
            connection.execute("DELETE FROM vectors")
            connection.execute("VACUUM")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        file = self.folder / FILE
        try:
            # Vectors tell of the texts that they were made of: they are the user's alone.
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
                yield connection
        except (sqlite3.Error, OSError) as error:
            remedy = "delete it, which costs time alone, or let POINTSMAN_CACHE name a folder to write to"
            raise CacheError(f"{file}: the cache of embeddings cannot be used ({error}); {remedy}") from error

    def _vector(self, blob: bytes, dimension: int) -> FloatArray:
        if len(blob) != dimension * NUMBERS.itemsize:
            said = f"a vector of {len(blob)} bytes, not of {dimension} numbers"
            raise CacheError(f"{self.folder / FILE}: {said}; delete the file, which costs time alone")
        return np.frombuffer(blob, NUMBERS)


def _key(text: str, digest: str) -> bytes:
    return hashlib.sha256(f"{digest}\0{text}".encode(errors="surrogatepass")).digest()
