"""The rows nearest to a request: exactly those, without reading every number of every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.types import FloatArray

    Indices = NDArray[np.intp]
    #: Rows and their cosines.
    Found = tuple[Indices, FloatArray]

#: Fewer rows are read whole sooner than they are sifted.
LEAST_ROWS: Final = 2048
#: Rows by which the directions are chosen: more of them find the same.
SAMPLE: Final = 4096
#: Share of an embedding's numbers that is looked at of every row. Less lets more rows through: of 10,000 that are much
#: alike 7/16 let 1,130 pass, this share 580 and 5/8 220; of prompts of three published tables 180 to 240, 140 to 180,
#: and 90 to 110. From here to 5/8 it takes as long, and more memory.
SHARE: Final = 1 / 2
#: Share of the rows that may pass: of more it is faster to look at all.
MOST: Final = 1 / 4
#: Rows that are looked up to see whether a sieve lets so few pass.
TRIALS: Final = 16
TYPICAL_COUNT: Final = 40
#: Values of which the greatest stands for all, so that few are sorted: of 10,000 that takes 10 us in place of 70.
BLOCK: Final = 16
#: Of how many times as many rows as are wanted the cosines are computed first, to know what the others must exceed.
SEEDS: Final = 2
#: How far rounding to single precision may lead astray the estimate of a cosine between unit vectors: ten times that.
MARGIN: Final = 1e-5
#: How far it may lead astray the square of a length.
SLACK: Final = 1e-6
#: Requests that are looked up together.
TOGETHER: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """Unit vectors, seen along the directions in which most of them lie, and how far they reach beyond those.

    With x = Px + x' and q = Pq + q', P the projection onto the directions, x.q is Px.Pq + x'.q', which is at most
    Px.Pq + |x'| |q'| (Cauchy and Schwarz). So a row whose bound is below the cosines of enough others is none of the
    nearest, and only the rest is looked at in full: the rows found are those that a full search finds.
    """

    embeddings: FloatArray  # [n, d]
    directions: FloatArray | None  # [p, d], orthonormal; None: all there are
    seen: FloatArray  # [p + 1, n]: the rows along the directions, then the lengths of what lies beside; [0, n] for all

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
        along = directions @ embeddings.T
        beyond = np.linalg.norm(embeddings - along.T @ directions, axis=1)
        sieve = cls(embeddings, directions, np.concatenate([along, beyond[None]]))
        found = sieve.nearest(sample[:: max(len(sample) // TRIALS, 1)], TYPICAL_COUNT)
        if 2 * sum(one is not None for one in found) > len(found):
            return sieve
        return cls(embeddings, None, np.zeros((0, rows), np.float32))

    def nearest(self, embeddings: FloatArray, count: int) -> list[Found | None]:
        """Return for each of some requests `[b, d]` the `count` nearest rows, in their own order, and their cosines.

        None for those of which they cannot be told cheaply: for so many, or where an embedding is not finite, or is
        unlike the rows. Together they are told sooner than one by one: of 10,000 rows of 256 numbers each bound for
        each of 16 requests takes half of the time, because the rows are read once.
        """
        found: list[Found | None] = [None] * len(embeddings)
        if len(self.embeddings) < SEEDS * count * BLOCK:
            return found
        squares = np.vecdot(embeddings, embeddings)
        finite = np.isfinite(squares).nonzero()[0].tolist()
        for start in range(0, len(finite), TOGETHER):
            places = finite[start : start + TOGETHER]
            some, lengths = embeddings[places], np.sqrt(squares[places])
            bounds = self._bounds(some, lengths)
            for place, bound, embedding, length in zip(places, bounds, some, lengths, strict=True):
                found[place] = self._among(bound, embedding, length, count)
        return found

    def _bounds(self, embeddings: FloatArray, lengths: FloatArray) -> FloatArray:
        """Return what no cosine exceeds, but for rounding, `[b, n]`."""
        if self.directions is None:
            return np.ascontiguousarray(np.dot(self.embeddings, embeddings.T).T)
        along = np.dot(embeddings, self.directions.T)
        # What is left of a square after nearly all of it is taken away is rounding: it counts as a little more.
        squares = lengths * lengths
        beside = np.sqrt(np.maximum(squares - np.vecdot(along, along), 0) + SLACK * squares)
        bounds: FloatArray = np.dot(np.concatenate([along, beside[:, None]], axis=1), self.seen)
        return bounds

    def _among(self, bounds: FloatArray, embedding: FloatArray, length: np.float32, count: int) -> Found | None:
        """Return the rows that are nearest by their cosines, of which nothing but the bounds `[n]` is known."""
        seeds = (bounds >= _reached(bounds, SEEDS * count)).nonzero()[0]
        least = _at_rank(self._cosines(seeds, embedding), count) - np.float32(MARGIN) * length
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
