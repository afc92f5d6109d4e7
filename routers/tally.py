"""Counts, sums and sums of squares per model: means that need no rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Column = NDArray[np.float64]

#: Variance of the one imagined observation that keeps a handful of equal rewards from looking certain:
#: the largest that a number in [0, 1] can have.
PRIOR_VARIANCE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What was observed of each model. `moments` is `[3, m]`: count, sum, sum of squares.

    >>> tally = Tally.of(("a", "b"), np.array([[1.0, np.nan], [0.0, 0.5]]))
    >>> tally.mean_of("a"), tally.mean_of("b"), tally.mean_of("c")
    (0.5, 0.5, None)
    """

    models: tuple[str, ...]
    moments: Column

    @classmethod
    def of(cls, models: tuple[str, ...], values: NDArray[np.floating]) -> Tally:
        """Count `values` `[n, m]`, of which NaN was not observed."""
        observed = ~np.isnan(values)
        numbers = np.where(observed, values, 0.0).astype(np.float64)
        return cls(models, np.stack([observed.sum(axis=0), numbers.sum(axis=0), (numbers**2).sum(axis=0)]))

    @classmethod
    def empty(cls) -> Tally:
        """Return the tally of nothing."""
        return cls((), np.zeros((3, 0)))

    def __add__(self, other: Tally) -> Tally:
        models = union(self.models, other.models)
        mine = spread(self.moments, self.models, models, 0.0)
        return Tally(models, mine + spread(other.moments, other.models, models, 0.0))

    def of_models(self, models: Sequence[str]) -> Tally:
        """Return the columns of `models`, in that order; one never seen has a count of zero."""
        return _of_models(self, tuple(models))

    def mean_of(self, model: str) -> float | None:
        """Return the mean of one model, or None where nothing was observed."""
        if model not in self.models:
            return None
        count, total, _ = self.moments[:, self.models.index(model)]
        return float(total / count) if count else None

    def means_of(self, models: tuple[str, ...]) -> tuple[float, ...]:
        """Return the means of some models, NaN where nothing was observed."""
        return _means_of(self, models)

    @property
    def count(self) -> Column:
        """Return how many were observed, `[m]`."""
        return np.asarray(self.moments[0])

    @property
    def mean(self) -> Column:
        """Return the means, `[m]`; zero where nothing was observed."""
        return np.asarray(self.moments[1] / np.maximum(self.count, 1))

    @property
    def variance(self) -> Column:
        """Return the variances, `[m]`, each with one more observation of `PRIOR_VARIANCE`."""
        deviations = np.maximum(self.moments[2] - self.count * self.mean**2, 0)
        return np.asarray((deviations + PRIOR_VARIANCE) / (self.count + 1))


@lru_cache(maxsize=1024)
def _means_of(tally: Tally, models: tuple[str, ...]) -> tuple[float, ...]:
    """Return the means of some models, for the same reason."""
    found = map(tally.mean_of, models)
    return tuple([math.nan if mean is None else mean for mean in found])


@lru_cache(maxsize=1024)
def _of_models(tally: Tally, models: tuple[str, ...]) -> Tally:
    """Return some columns. A gateway asks the same tally for the same few pools over and over."""
    return Tally(models, spread(tally.moments, tally.models, models, 0.0))
