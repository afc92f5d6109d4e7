"""How much a measure differs between two policies, and how sure that is, at any time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.sequential.evidence import clusters_of, totals_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from routers.sequential.boundary import Boundary
    from routers.sums import Sums

#: Rows that each side has to have before anything is certain.
FEWEST: Final = 10
#: Doublings and halvings until a ratio is found to about a millionth.
STEPS: Final = 40


@dataclass(frozen=True)
class Contrast:
    """The means of a measure under two policies, and the standard error of `candidate - factor * live`.

    The variance is that between clusters of units, so that requests of one session may be alike; control variates take
    out what chance is known to have done (Glynn and Szechtman 2002). `doubt` is the size of one observation that might
    have been but was not seen: of what never happened yet nobody knows that it cannot.
    """

    clusters: NDArray[np.float64]
    totals: NDArray[np.float64]
    doubt: float | None = None

    @classmethod
    def of(cls, sums: Sums, measure: str, doubt: float | None = None) -> Contrast:
        """Return the contrast of a measure; a `doubt` of None is one observation of about twice the mean."""
        return cls(clusters_of(sums, measure), totals_of(sums, measure), doubt)

    @property
    def promoted(self) -> int:
        """Return how many rows the candidate's side served."""
        return round(float(self.totals[0]))

    @property
    def kept(self) -> int:
        """Return how many rows the live side served."""
        return round(float(self.totals[1]))

    @cached_property
    def enough(self) -> bool:
        """Tell whether each policy was seen often enough to say anything: by rows, or what weighs as much."""
        candidate, live = self._weights
        squares = self.totals[2:4]
        if candidate <= 0 or live <= 0:
            return False
        return bool(candidate**2 >= FEWEST * squares[0] and live**2 >= FEWEST * squares[1])

    @cached_property
    def candidate(self) -> float:
        """Return the mean under the candidate; NaN where nothing was seen."""
        weight, value = self.clusters[:, [0, 2]].sum(axis=0)
        return float(value / weight) if weight > 0 else math.nan

    @cached_property
    def live(self) -> float:
        """Return the mean under the live policy; NaN where nothing was seen."""
        weight, value = self.clusters[:, [1, 3]].sum(axis=0)
        return float(value / weight) if weight > 0 else math.nan

    @cached_property
    def information(self) -> float:
        """Return how many observations the comparison is worth: half the rows where sides are equal, times a half.

        Infinite where the two do not differ in what they choose, however often that is looked at.
        """
        candidate, live = self._weights
        one, other, both = self.totals[2:]
        spread = one / candidate**2 + other / live**2 - 2 * both / (candidate * live)
        return float(1 / spread) if spread > 1e-12 else math.inf

    def difference(self, factor: float = 1.0) -> tuple[float, float]:
        """Return `candidate - factor * live` and its standard error."""
        candidate, live = self._weights
        table = self.clusters
        chance = (table[:, 2] - self.candidate * table[:, 0]) / candidate
        chance = chance - factor * (table[:, 3] - self.live * table[:, 1]) / live
        rest, taken_out = _without(chance, self._known(factor))
        doubt = self.doubt if self.doubt is not None else abs(self.candidate) + abs(self.live)
        variance = float(rest @ rest) * len(rest) / (len(rest) - 1) + (doubt / self.information) ** 2
        return self.candidate - factor * self.live - taken_out, math.sqrt(variance)

    def deviation(self, factor: float = 1.0) -> float:
        """Return the standard deviation of one observation, as far as it is known yet; NaN where it is not."""
        return self.difference(factor)[1] * math.sqrt(self.information) if self.enough else math.nan

    def at_least(self, boundary: Boundary, factor: float = 1.0) -> float:
        """Return what the difference is at least, for certain, at this and every other time."""
        return self._bound(boundary, factor, -1)

    def at_most(self, boundary: Boundary, factor: float = 1.0) -> float:
        """Return what the difference is at most, for certain, at this and every other time."""
        return self._bound(boundary, factor, 1)

    def ratio(self, boundary: Boundary) -> tuple[float, float]:
        """Return between which factors `candidate / live` lies, each end certain at the boundary's level (Fieller)."""
        if not self.enough or self.live <= 0:
            return 0.0, math.inf
        least = _last(lambda factor: self.at_least(boundary, factor) > 0)
        most = _last(lambda factor: self.at_most(boundary, factor) > 0)
        return least, most

    def _known(self, factor: float) -> NDArray[np.float64]:
        """Return what is known to be chance, [clusters, 2]: who was expected to do well, and how often sides served."""
        candidate, live = self._weights
        table = self.clusters
        expected = table[:, 4] / candidate - factor * table[:, 5] / live
        overlap = table[:, 6]
        often = (table[:, 0] - overlap) / candidate - factor * (table[:, 1] - overlap) / live
        return np.stack([expected, often], axis=1)

    @cached_property
    def _weights(self) -> tuple[float, float]:
        candidate, live = self.clusters[:, :2].sum(axis=0)
        return float(candidate), float(live)

    def _bound(self, boundary: Boundary, factor: float, sign: int) -> float:
        if not self.enough:
            return sign * math.inf
        mean, error = self.difference(factor)
        if error == 0 or math.isinf(self.information):
            return mean
        return mean + sign * boundary.errors(self.information) * error


def _without(chance: NDArray[np.float64], known: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return chance without what is known of it, and the sum of that: a regression on what expects something at all."""
    if not known[:, 0].any():
        return chance, 0.0
    slopes = np.linalg.lstsq(known, chance, rcond=1e-9)[0]
    return chance - known @ slopes, float((known @ slopes).sum())


def _last(holds: Callable[[float], bool]) -> float:
    """Return up to which factor something holds; infinite where it always does."""
    low, high = 0.0, 1.0
    while holds(high):
        low, high = high, high * 2
        if high > 2.0**STEPS:
            return math.inf
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
