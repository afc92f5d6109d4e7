"""An estimate, what each row does to it, and the interval that follows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.evaluation.off_policy.student import quantile

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Indices

#: How much of what might have been an interval holds.
COVERAGE: Final = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A value, and its linearisation: `terms` `[n]` is by how much each row moves it, and they sum to zero.

    So estimates from the same rows can be compared row by row: what makes both look good cancels. Rows of the same of
    the `clusters` `[n]` are taken as one. The interval is Student's, with as many degrees of freedom as there are
    clusters that matter, `(sum t ** 2) ** 2 / sum t ** 4`: where a few heavy rows make the estimate, it is wider.
    `imagined` is the term of one row more, that nobody has seen: see `imagining`. The standard error is no less than
    `least`, where something else than the rows says so.

    Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference" (2015), on both.
    """

    value: float
    terms: Column
    clusters: Indices
    imagined: float = 0.0
    least: float = 0.0

    @property
    def error(self) -> float:
        """Return the standard error; NaN with fewer than two clusters."""
        sums = self._sums()
        count = len(sums)
        return max(math.sqrt(float(sums @ sums) * count / (count - 1)), self.least) if count > 1 else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval that holds the truth in `COVERAGE` of cases."""
        reach = quantile(COVERAGE, self.degrees) * self.error
        return self.value - reach, self.value + reach

    @property
    def degrees(self) -> float:
        """Return how many clusters matter."""
        squares = self._sums() ** 2
        fourth = float(squares @ squares)
        return float(squares.sum()) ** 2 / fourth if fourth > 0 else math.inf

    def less(self, other: Estimate) -> Estimate:
        """Return by how much this is more than another estimate of the same rows."""
        return Estimate(
            self.value - other.value,
            self.terms - other.terms,
            self.clusters,
            max(self.imagined, other.imagined),
            max(self.least, other.least),
        )

    def imagining(self, surprise: float, effective: float) -> Estimate:
        """Return this estimate as if there were one row more, as surprising as can be.

        Without it, a hundred requests without a failure would have an interval of no width; with it, the interval of no
        failures in `n` ends a little above the 3 / n of the "rule of three" (Hanley and Lippman-Hand 1983).
        """
        return replace(self, imagined=surprise / effective if effective > 0 else math.nan)

    def relative_to(self, other: Estimate) -> Estimate:
        """Return by what share this is more than another estimate of the same rows; NaN where that is not positive.

        The interval is the delta method's.
        """
        if not other.value > 0:
            return Estimate(math.nan, np.full_like(self.terms, math.nan), self.clusters)
        ratio = self.value / other.value
        return Estimate(
            ratio - 1,
            (self.terms - ratio * other.terms) / other.value,
            self.clusters,
            max(self.imagined, ratio * other.imagined) / other.value,
            max(self.least, ratio * other.least) / other.value,
        )

    def _sums(self) -> Column:
        """Return the sum of the terms of each cluster, and the imagined one."""
        _, places = np.unique(self.clusters, return_inverse=True)
        sums = np.bincount(places, weights=self.terms).astype(np.float64)
        return np.append(sums, self.imagined) if self.imagined else sums


def mean_of(values: Column, clusters: Indices) -> Estimate:
    """Return the mean of values, one a row."""
    mean = float(values.mean())
    return Estimate(mean, (values - mean) / len(values), clusters)
