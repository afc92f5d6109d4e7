"""The wording of a request as numbers: hashed words and character n-grams, without a table of words.

A text becomes a bag of 64-bit hashes in a few numpy operations, whatever its language; an encoder of meaning
says what it is about, this says how it is put, which tells templates and sources apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Hashes = NDArray[np.uint64]

_BITS = 14
#: Columns that hashes are folded into.
BUCKETS = 1 << _BITS
#: Of a longer text, this many bytes are read at either end.
MAX_BYTES = 2048
#: A feature of fewer texts than this says nothing of another text.
FEWEST_TEXTS = 3
#: More texts than this are sampled: what varies shows in these.
MAX_TEXTS = 2000
#: Lengths of the character n-grams, in bytes.
LENGTHS = (3, 4)

_BASE = np.uint64(0x100000001B3)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(0x100000001B3, -1, 1 << 64))
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SPACE = 32
_POWERS = np.cumprod(np.full(2 * MAX_BYTES + 3, _BASE, np.uint64))
_INVERSES = np.cumprod(np.full(2 * MAX_BYTES + 3, _INVERSE, np.uint64))


def buckets(text: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the buckets that a text fills, and `1 + log(count)` of each.

    Features are the words, pairs of neighbouring words, and character n-grams of the lower-cased text.
    """
    return _buckets(_plain(text))


# Estimators side by side read the same text, one after the other.
@lru_cache(maxsize=16)
def _buckets(plain: bytes) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    letters = np.frombuffer(plain, np.uint8)
    # The hash of a piece is the difference of two prefix sums, moved to the origin (Rabin and Karp).
    prefix = np.concatenate([[np.uint64(0)], np.cumsum(letters.astype(np.uint64) * _POWERS[: len(letters)])])
    pieces = [_mixed(_pieces(prefix, np.arange(len(letters) - n + 1), n), n) for n in LENGTHS if len(letters) >= n]
    pieces += _words(letters, prefix)
    counts = np.bincount(np.concatenate(pieces).view(np.int64), minlength=BUCKETS)
    places = np.flatnonzero(counts)
    weights = 1 + np.log(counts[places])
    places.flags.writeable = weights.flags.writeable = False  # they are shared
    return places, weights


def _plain(text: str) -> bytes:
    """Return a lower-cased text between two spaces, runs of white space as one, its middle left out if it is long."""
    ends = text if len(text) <= 2 * MAX_BYTES else f"{text[:MAX_BYTES]} {text[-MAX_BYTES:]}"
    plain = " ".join(ends.lower().split()).encode(errors="ignore")
    if len(plain) > 2 * MAX_BYTES:
        plain = plain[:MAX_BYTES] + plain[-MAX_BYTES:]
    return b" " + plain + b" "


def _words(letters: NDArray[np.uint8], prefix: Hashes) -> list[Hashes]:
    """Return the hashes of words and of neighbouring pairs."""
    spaces = np.flatnonzero(letters == _SPACE)
    starts, ends = spaces[:-1] + 1, spaces[1:]
    single = _mixed(_pieces(prefix, starts, ends - starts), 0)
    pairs = _mixed(_pieces(prefix, starts[:-1], ends[1:] - starts[:-1]), 1)
    return [single, pairs]


def _pieces(prefix: Hashes, starts: NDArray[np.intp], lengths: NDArray[np.intp] | int) -> Hashes:
    moved: Hashes = (prefix[starts + lengths] - prefix[starts]) * _INVERSES[starts]
    return moved


def _mixed(hashes: Hashes, kind: int) -> Hashes:
    """Fold hashes into buckets; the kinds of features do not share a hash."""
    mixed = (hashes + np.uint64(kind + 1)) * _MIX
    return (mixed ^ (mixed >> np.uint64(29))) * _MIX >> np.uint64(64 - _BITS)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Latent semantic analysis: what of the wording varies, in a few dimensions.

    A bag is weighted by inverse document frequency, scaled to unit length, and projected. `weights` is
    `[BUCKETS]`, zero for what is rare; `projection` is `[BUCKETS, d]`, rounded to half precision.

    Deerwester et al., "Indexing by latent semantic analysis" (1990), on the hashing trick
    (https://arxiv.org/abs/0902.2206).
    """

    weights: FloatArray
    projection: FloatArray

    @classmethod
    def empty(cls) -> Lexicon:
        """Return a lexicon of no dimensions."""
        return cls(np.zeros(BUCKETS, np.float32), np.zeros((BUCKETS, 0), np.float32))

    @classmethod
    def of(cls, texts: Sequence[str], dimensions: int, seed: int = 0) -> Lexicon:
        """Fit to texts, of many to a sample; where too few differ, there are no dimensions."""
        from scipy.sparse import csr_array
        from sklearn.decomposition import TruncatedSVD

        bags = [buckets(text) for text in _sample(texts, seed)]
        documents = np.bincount(np.concatenate([found for found, _ in bags]), minlength=BUCKETS) if bags else 0
        idf = np.where(documents >= FEWEST_TEXTS, np.log((1 + len(bags)) / (1 + documents)) + 1, 0).astype(np.float32)
        kept = [(found[idf[found] > 0], counts[idf[found] > 0]) for found, counts in bags]
        dimensions = min(dimensions, len(bags) - 1, int((idf > 0).sum()) - 1)
        if dimensions < 1:
            return cls.empty()
        rows = [_unit(counts * idf[found]) for found, counts in kept]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        columns = np.concatenate([found for found, _ in kept])
        matrix = csr_array((np.concatenate(rows), columns, starts), shape=(len(bags), BUCKETS))
        fitted = TruncatedSVD(dimensions, n_iter=2, random_state=seed).fit(matrix)
        return cls(idf, np.ascontiguousarray(fitted.components_.T).astype(np.float16).astype(np.float32))

    @property
    def dimensions(self) -> int:
        """Return how many numbers a text becomes."""
        return int(self.projection.shape[1])

    def transform(self, text: str) -> FloatArray:
        """Return the place of a text, `[dimensions]`."""
        if not self.dimensions:
            return np.zeros(0, np.float32)
        found, counts = buckets(text)
        weighted = counts * self.weights[found]
        known = np.flatnonzero(weighted)
        place: FloatArray = _unit(weighted[known]).astype(np.float32) @ self.projection.take(found[known], axis=0)
        return place

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return weights and projection."""
        return {"weights": self.weights, "projection": self.projection.astype(np.float16)}


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.sqrt(values @ values))
    return values / length if length else values


def _sample(texts: Sequence[str], seed: int) -> list[str]:
    """Return the different texts, or as many of them as are read."""
    different = list(dict.fromkeys(texts))
    if len(different) <= MAX_TEXTS:
        return different
    chosen = np.random.default_rng(seed).choice(len(different), MAX_TEXTS, replace=False)
    return [different[place] for place in np.sort(chosen)]
