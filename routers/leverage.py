"""How well a linear fit is determined at a point, given the points that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Array = NDArray[np.float64]

#: Directions kept over all groups of models: what one request is multiplied with, which takes some 0.1 ms.
DIRECTIONS = 1024


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The centred second moments of `count` points, by their principal directions, the strongest first."""

    count: int
    centre: Array  # [d]
    strengths: Array  # [d], sums of squares
    directions: Array  # [d, d], one a row

    @classmethod
    def of(cls, points: Array) -> Spectrum:
        """Decompose `points` `[n, d]`; of none, all is zero."""
        centre = points.mean(axis=0) if len(points) else np.zeros(points.shape[1])
        centred = points - centre
        strengths, directions = np.linalg.eigh(centred.T @ centred)
        return cls(len(points), centre, np.maximum(strengths[::-1], 0), directions.T[::-1])


@dataclass(frozen=True, slots=True)
class Leverage:
    """The variance of linear fits with an intercept, in units of the noise, at any point.

    For one model, whose points `X` are centred, and a penalty `a` on the coefficients alone:

        leverage(x) = 1 / n + x' (X'X + a I)^-1 x

    Models observed on the same points are one group. With many groups only the strongest directions of each
    are kept; the others count as if nothing had been observed along them, which errs towards more variance.

    >>> line = Leverage.of(np.array([[-1.0], [1.0]]), np.array([[True], [True]]))
    >>> line.at(np.array([3.0]), np.array([1.0])).tolist()  # 1 / 2 + 3**2 / (2 + 1)
    [3.5]
    """

    group: NDArray[np.int64]  # [m]
    counts: Array  # [g]
    centres: FloatArray  # [g, d]
    directions: FloatArray  # [g, k, d]
    strengths: Array  # [g, k]

    @classmethod
    def of(cls, points: Array, observed: NDArray[np.bool_]) -> Leverage:
        """Decompose `points` `[n, d]` for each pattern of `observed` `[n, m]`."""
        patterns, group = groups(observed)
        return cls.joined([Spectrum.of(points[pattern]) for pattern in patterns], group, points.shape[1])

    @classmethod
    def joined(cls, spectra: Sequence[Spectrum], group: NDArray[np.int64], length: int) -> Leverage:
        """Keep the strongest directions of each group; `length` is that of a point."""
        kept = min(length, DIRECTIONS // max(len(spectra), 1))
        return cls(
            group=group,
            counts=np.array([spectrum.count for spectrum in spectra], np.float64),
            centres=_stacked([s.centre for s in spectra], (length,)).astype(np.float32),
            directions=_stacked([s.directions[:kept] for s in spectra], (kept, length)).astype(np.float32, order="C"),
            strengths=_stacked([s.strengths[:kept] for s in spectra], (kept,)),
        )

    def at(self, point: FloatArray, penalty: Array) -> Array:
        """Return the leverage of a point `[d]` for every model, `[m]`, each with its own penalty."""
        offsets = point.astype(np.float32) - self.centres
        # Not `@`: BLAS would start threads for it, which wait for each other longer than one thread works.
        squares = np.vecdot(self.directions, offsets[:, None, :]).astype(np.float64) ** 2
        rest = np.maximum((offsets.astype(np.float64) ** 2).sum(axis=1) - squares.sum(axis=1), 0)
        if self.strengths.shape[1] == self.centres.shape[1]:
            rest = np.zeros_like(rest)  # all directions were kept; what is left is rounding
        known = (squares[self.group] / (self.strengths[self.group] + penalty[:, None])).sum(axis=1)
        mean = 1 / np.maximum(self.counts[self.group], 1)
        return np.asarray(mean + known + rest[self.group] / penalty)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {f"leverage_{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Leverage:
        """Return what `state` returned. Raises `KeyError`."""
        return cls(**{field.name: state[f"leverage_{field.name}"] for field in fields(cls)})


def groups(observed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return the patterns among the columns of `observed` `[n, m]`, `[g, n]`, and which each column has, `[m]`."""
    if not observed.shape[1]:
        return np.zeros((0, len(observed)), np.bool_), np.zeros(0, np.int64)
    # Of no rows there is one pattern, which `unique` does not find.
    if not len(observed):
        return np.zeros((1, 0), np.bool_), np.zeros(observed.shape[1], np.int64)
    patterns, group = np.unique(observed.T, axis=0, return_inverse=True)
    return patterns, group.reshape(-1).astype(np.int64)


def _stacked(arrays: Sequence[Array], shape: tuple[int, ...]) -> Array:
    """Stack the arrays, of which there may be none."""
    return np.stack(arrays) if arrays else np.zeros((0, *shape))
