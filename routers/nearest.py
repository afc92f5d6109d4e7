"""The rows nearest to a request: exactly those, without reading every number of every row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.types import FloatArray

    Indices = NDArray[np.intp]

#: Fewer rows are read whole sooner than they are sifted.
LEAST_ROWS: Final = 2048
#: Rows by which the directions are chosen: more of them find the same.
SAMPLE: Final = 4096
#: Share of an embedding's numbers that is looked at of every row. Less lets more rows through: on prompts of three
#: published tables (static encoder, 10,000 rows) a quarter takes 224 us, this share 162, a half 154 and more memory;
#: a search of all numbers 214.
SHARE: Final = 7 / 16
#: Share of the rows that may pass: of more it is faster to look at all.
MOST: Final = 1 / 8
#: Rows that are looked up to see whether a sieve lets so few pass.
TRIALS: Final = 16
TYPICAL_COUNT: Final = 40
#: Values of which the greatest stands for all, so that few are sorted: of 10,000 that takes 10 us in place of 70.
BLOCK: Final = 16
#: Of how many times as many rows as are wanted the cosines are computed first, to know what the others must exceed.
SEEDS: Final = 2
#: How far rounding to single precision may lead astray the estimate of a cosine between unit vectors: ten times that.
MARGIN: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """Unit vectors, seen along the directions in which most of them lie, and how far they reach beyond those.

    With x = Px + x' and q = Pq + q', P the projection onto the directions, x.q is Px.Pq + x'.q', which differs from
    Px.Pq by at most |x'| |q'| (Cauchy and Schwarz). So a row whose bound is below the cosines of enough others is
    none of the nearest, and only the rest is looked at in full: the rows found are those that a full search finds.
    """

    embeddings: FloatArray  # [n, d]
    directions: FloatArray | None  # [p, d], orthonormal; None: all there are
    seen: FloatArray  # [n, p], the rows along the directions
    beyond: FloatArray  # [n], lengths of what lies beside them

    @classmethod
    def of(cls, embeddings: FloatArray) -> Sieve | None:
        """Return the sieve of some rows; None for too few.

        Where a part of the directions would let too many pass it goes by all: also then most cosines need not be known
        to the last bit, and one product of all rows takes three quarters of what one for each takes.
        """
        rows, width = embeddings.shape
        if rows < LEAST_ROWS or not width:
            return None
        sample = embeddings[:: -(-rows // SAMPLE)]
        _, vectors = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        leading = vectors[:, ::-1][:, : max(1, round(SHARE * width))].T
        directions = np.ascontiguousarray(leading, np.float32)
        seen = embeddings @ directions.T
        sieve = cls(embeddings, directions, seen, np.linalg.norm(embeddings - seen @ directions, axis=1))
        trials = sample[:: max(len(sample) // TRIALS, 1)]
        found = sum(sieve.nearest(trial, TYPICAL_COUNT) is not None for trial in trials)
        return sieve if 2 * found > len(trials) else cls(embeddings, None, embeddings, np.zeros(rows, np.float32))

    def nearest(self, embedding: FloatArray, count: int) -> tuple[Indices, FloatArray] | None:
        """Return the `count` rows nearest to a request, in their own order, and their cosines, both `[count]`.

        None where they cannot be told cheaply: for so many, for an embedding that is not finite, or is unlike the rows.
        """
        square = float(np.dot(embedding, embedding))
        if len(self.seen) < SEEDS * count * BLOCK or not math.isfinite(square):
            return None
        along = embedding if self.directions is None else np.dot(self.directions, embedding)
        bounds = np.dot(self.seen, along)
        seeds = (bounds >= _reached(bounds, SEEDS * count)).nonzero()[0]
        least = _at_rank(self._cosines(seeds, embedding), count) - MARGIN * math.sqrt(square)
        if self.directions is not None:
            bounds += self.beyond * math.sqrt(max(square - float(np.dot(along, along)), 0.0))
        rows = (bounds >= least).nonzero()[0]
        if len(rows) > MOST * len(bounds):
            return None
        cosines = self._cosines(rows, embedding)
        near = greatest(cosines, count)
        return rows.take(near), cosines.take(near)

    def _cosines(self, rows: Indices, embedding: FloatArray) -> FloatArray:
        cosines: FloatArray = np.vecdot(self.embeddings.take(rows, axis=0), embedding)
        return cosines


def greatest(values: FloatArray, count: int) -> Indices:
    """Return where the `count` greatest values are, in their own order; the last of equals, and none if one is NaN.

    >>> greatest(np.array([0.5, 0.9, 0.5, 0.1], np.float32), 2).tolist()
    [1, 2]
    """
    if len(values) <= count:
        return np.arange(len(values))
    if len(values) < BLOCK * count:
        return _foremost(values, count)
    among = (values >= _reached(values, count)).nonzero()[0]
    if len(among) < count:
        return among[:0]
    return among.take(_foremost(values.take(among), count))


def _foremost(values: FloatArray, count: int) -> Indices:
    """Return where the `count` greatest of at least as many values are; the last of equals."""
    least = _at_rank(values, count)
    places = (values >= least).nonzero()[0]
    if (beyond := len(places) - count) <= 0:
        return places  # all of them, or none where NaN, which is above all, is what has to be reached
    equals = (values.take(places) == least).nonzero()[0]
    return np.delete(places, equals[:beyond])


def _at_rank(values: FloatArray, rank: int) -> np.float32:
    """Return the value that `rank` of them reach."""
    place = len(values) - rank
    return np.float32(np.partition(values, place)[place])


def _reached(values: FloatArray, count: int) -> np.float32:
    """Return what at least `count` values reach, and not many more: so many blocks have a value that does."""
    whole = len(values) - len(values) % BLOCK
    return _at_rank(values[:whole].reshape(BLOCK, -1).max(axis=0), count)
