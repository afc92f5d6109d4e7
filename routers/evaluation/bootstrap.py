"""Would the difference be there with other requests of the same kind? The paired bootstrap over requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from routers.evaluation.curve import top
from routers.evaluation.hull import area, hull

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.evaluation.replay import Sweep
    from routers.types import FloatArray, Outcomes

    Column = NDArray[np.float64]

Verdict = Literal["better", "worse", "no difference"]

#: How often the requests are drawn anew, and which part of the results the interval holds.
RESAMPLES, COVERAGE = 1000, 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one is better than another, the interval of that, and what it comes to."""

    value: float
    interval: tuple[float, float]

    @property
    def verdict(self) -> Verdict:
        """Return "no difference" where the interval holds zero."""
        low, high = self.interval
        if low <= 0 <= high:
            return "no difference"
        return "better" if low > 0 else "worse"


class Bootstrap:
    """Draws the requests of a table with replacement, the same ones for every router: so differences are paired.

    Parameters: `singles`, the outcomes of the `n` requests without gaps; `resamples`, how many draws; `seed`.

    Efron and Tibshirani, "An Introduction to the Bootstrap", chapters 13 and 16 (percentile intervals).
    """

    def __init__(self, singles: Outcomes, resamples: int = RESAMPLES, seed: int = 0) -> None:
        n = singles.n
        rng = np.random.default_rng(seed)
        counts = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(resamples)])
        self._weights: FloatArray = (counts / n).astype(np.float32)
        self._cost, self._quality = self.means(singles.costs_usd.T), self.means(singles.rewards.T)

    def means(self, values: NDArray[np.floating]) -> Column:
        """Return the mean of each row of `values` `[k, n]` in each resample, `[resamples, k]`."""
        return np.asarray(self._weights @ values.astype(np.float32).T, np.float64)

    def accuracy(self, sweep: Sweep) -> Column:
        """Return the quality of the sweep's most accurate setting in each resample, `[resamples]`.

        The setting is chosen once, on the requests as they are: choosing it anew in each resample would add what
        luck the choice brings.
        """
        return self.means(sweep.quality[[top(*sweep.points)]])[:, 0]

    def aiq(self, sweep: Sweep) -> Column:
        """Return the AIQ in each resample, `[resamples]`.

        The cheapest and the dearest single model are those of the resample.
        """
        cost, quality = self.means(sweep.cost_usd), self.means(sweep.quality)
        cheapest = self._cost.argmin(axis=1)
        every = np.arange(len(cost))
        costs = np.column_stack([cost, self._cost[every, cheapest]])
        qualities = np.column_stack([quality, self._quality[every, cheapest]])
        low, high = self._cost.min(axis=1), self._cost.max(axis=1)
        return np.array(
            [area(hull(c, q), a, b) for c, q, a, b in zip(costs, qualities, low.tolist(), high.tolist(), strict=True)]
        )


def interval(samples: Column) -> tuple[float, float]:
    """Return the central part of what the resamples gave."""
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def difference(value: float, mine: Column, theirs: Column) -> Difference:
    """Return the difference `value` with its interval, given what both came to in the same resamples."""
    return Difference(value, interval(mine - theirs))
