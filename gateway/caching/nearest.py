"""The questions of one bucket, and the nearest of them by exact search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.caching.shelf import Neighbour

if TYPE_CHECKING:
    from gateway.caching.question import Near
    from routers.types import FloatArray

#: Questions of a bucket; beyond that, the oldest is forgotten.
MAX_QUESTIONS: Final = 10_000
#: Neighbours that are returned at most.
NEIGHBOURS: Final = 8
#: Rows by which the array grows at most.
_GROWTH: Final = 1024
#: Bytes that a question takes beside its vector and text, about.
_OVERHEAD: Final = 400


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    expires: float


class Bucket:
    """Questions with their vectors. The vectors fill the first rows of one array, in no order."""

    def __init__(self, dimension: int, max_questions: int = MAX_QUESTIONS) -> None:
        self._vectors: FloatArray = np.empty((1, dimension), np.float32)
        self._max_questions = max_questions
        self._rows: dict[bytes, int] = {}
        self._keys: list[bytes] = []
        self._asked: dict[bytes, _Asked] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""
        return int(self._vectors.shape[1])

    @property
    def held_bytes(self) -> int:
        """Return about how much memory it takes, without texts."""
        return int(self._vectors.nbytes) + _OVERHEAD * (1 + len(self._keys))

    def add(self, key: bytes, near: Near, expires: float) -> None:
        """Add a question, in place of the one that had its key; raises `ValueError` for a vector of another length."""
        if near.vector.shape != self._vectors.shape[1:]:
            raise ValueError(f"the vector has the shape {near.vector.shape}, not {self._vectors.shape[1:]}")
        self.discard(key)
        if len(self) >= self._max_questions:
            self.discard(next(iter(self._asked)))
        row = len(self)
        if row == len(self._vectors):
            more = np.empty((min(row, _GROWTH), self._vectors.shape[1]), np.float32)
            self._vectors = np.concatenate([self._vectors, more])
        self._vectors[row] = near.vector
        self._rows[key] = row
        self._keys.append(key)
        self._asked[key] = _Asked(near.text, expires)

    def discard(self, key: bytes) -> None:
        """Forget a question, if it is there; the last row takes its place."""
        row = self._rows.pop(key, None)
        if row is None:
            return
        del self._asked[key]
        last = self._keys.pop()
        if last != key:
            self._vectors[row] = self._vectors[len(self)]
            self._keys[row] = last
            self._rows[last] = row

    def nearest(self, vector: FloatArray, least: float, now: float) -> list[Neighbour]:
        """Return the nearest questions, nearest first; those that have expired are forgotten when they are met."""
        if vector.shape != self._vectors.shape[1:]:
            return []
        cosines = self._vectors[: len(self)] @ vector
        close = np.flatnonzero(cosines >= least)
        ordered = close[np.argsort(-cosines[close], kind="stable")]
        found: list[Neighbour] = []
        for key, cosine in [(self._keys[row], float(cosines[row])) for row in ordered]:
            if self._asked[key].expires <= now:
                self.discard(key)
            elif len(found) < NEIGHBOURS:
                found.append(Neighbour(key, self._asked[key].text, cosine))
        return found
