"""What the single models do on a test fold: the measure of every curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.types import Outcomes

    Column = NDArray[np.float64]


class Point(NamedTuple):
    """Mean cost in USD and mean quality of always doing the same."""

    cost_usd: float
    quality: float


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What curves over the same requests are measured by.

    `cheapest` is the single model of the least mean cost, and `dearest_usd` the mean cost of the dearest.
    `baseline` is the single model that was best in training, as it does on these requests; `strongest` the one
    that is best on them, with hindsight. `oracle_quality` is that of taking the best answer to each request.
    """

    cheapest: Point
    dearest_usd: float
    baseline: Point
    strongest: Point
    oracle_quality: float

    @classmethod
    def of(cls, train: Outcomes, test: Outcomes) -> Yardstick:
        """Measure the single models of `test`, which has neither rewards nor costs missing."""
        singles = [
            Point(float(cost), float(quality))
            for cost, quality in zip(means(test.costs_usd), means(test.rewards), strict=True)
        ]
        return cls(
            cheapest=min(singles, key=lambda point: (point.cost_usd, -point.quality)),
            dearest_usd=max(point.cost_usd for point in singles),
            baseline=singles[best_single(train)],
            strongest=max(singles, key=lambda point: (point.quality, -point.cost_usd)),
            oracle_quality=float(test.rewards.max(axis=1).mean(dtype=np.float64)),
        )


def best_single(train: Outcomes) -> int:
    """Return the column of the model of the highest mean reward, the cheapest of equals."""
    reward, cost = means(train.rewards), means(train.costs_usd)
    return int(np.lexsort((cost, -reward))[0])  # NaN, which is a model that was never run, comes last


def means(values: NDArray[np.floating]) -> Column:
    """Return the mean of what is known in each column `[n, m]`; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0, dtype=np.float64)
    return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))
