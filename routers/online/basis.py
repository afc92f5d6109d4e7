"""Features of a request that are the same on every replica and at every time, so that sums of them add up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Array = NDArray[np.float64]

#: What benchmarks/build_basis.py wrote.
FILE: Final = Path(__file__).with_name("basis.npz")
#: How far from each other requests of one kind are, in units of the widest direction.
LENGTH_SCALE: Final = 1.5
#: The logarithm of the tokens of a prompt that is neither short nor long.
_MIDDLE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Basis:
    """Functions of the embedding and the prompt's length, nonlinear in both; a linear model of them is a smooth one.

    An embedding is seen from eight directions, in which questions of all kinds differ most, and the prompt's tokens by
    their logarithm. In these nine dimensions the features are the leading eigenfunctions of a Gaussian kernel around
    landmarks: `exp(-|x - landmark|^2 / 2 l^2) @ projection` (Nystroem). Their prior covariance is the identity: two
    requests are expected to be alike as far as they are near.

    Williams and Seeger, "Using the Nystroem method to speed up kernel machines" (NIPS 2000).
    """

    centre: Array  # [d]
    directions: Array  # [d, 8]
    landmarks: Array  # [l, 9]
    projection: Array  # [l, f]

    @classmethod
    def of(cls, dimension: int) -> Basis:
        """Return the basis for embeddings of so many dimensions.

        For those of the included sentence encoder the directions are known. For others they are drawn, always the same
        ones: they tell kinds of requests apart less well.
        """
        return _basis(dimension)

    def features(self, embeddings: FloatArray, prompt_tokens: Sequence[int]) -> Array:
        """Return the features of requests, `[n, f]`, their embeddings being `[n, d]`."""
        seen = (embeddings.astype(np.float64) - self.centre) @ self.directions
        lengths = np.log1p(np.asarray(prompt_tokens, np.float64)) - _MIDDLE
        return self.around(np.column_stack([seen, lengths]))

    def around(self, points: Array) -> Array:
        """Return the features of points `[n, 9]`."""
        squares = (points**2).sum(axis=1)[:, None] + (self.landmarks**2).sum(axis=1) - 2 * points @ self.landmarks.T
        near = np.exp(-np.maximum(squares, 0) / (2 * LENGTH_SCALE**2))
        return np.asarray(near @ self.projection, np.float64)


def feature_count() -> int:
    """Return the number of features, which is the same for embeddings of all dimensions."""
    return int(_stored()["projection"].shape[1])


@lru_cache(maxsize=8)
def _basis(dimension: int) -> Basis:
    stored = _stored()
    landmarks, projection = stored["landmarks"], stored["projection"]
    if dimension == len(stored["centre"]):
        return Basis(stored["centre"], stored["directions"], landmarks, projection)
    seen = landmarks.shape[1] - 1
    drawn = np.random.default_rng(0).standard_normal((dimension, seen))
    # In a direction drawn at random a unit vector is as long as the root of one over its dimensions.
    return Basis(np.zeros(dimension), drawn / np.linalg.norm(drawn, axis=0) * np.sqrt(dimension), landmarks, projection)


@cache
def _stored() -> Mapping[str, Array]:
    with np.load(FILE, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float64) for name in arrays.files}
