"""The lesser of two regrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.types import Estimate
from routers.utilities.ranks import SMALLEST_WEIGHT, cheapest_first
from routers.utilities.shares import shares

if TYPE_CHECKING:
    from routers.types import Prospects


class Chebyshev:
    """Keep the greater of two shortfalls small: that from a perfect answer, and that from a free one.

        utility = -max(w * (1 - quality), (1 - w) * cost / c_max)

    where `w` is `quality_weight` and `c_max` the cost of the dearest candidate for this request. Where a sum
    (`Linear`) can only choose candidates on the convex hull of quality against cost, this reaches every one that no
    other beats in both. At 0 the cheapest is best and quality breaks ties.

    >>> from routers.types import Prospects
    >>> three = Prospects([Estimate(0.2), Estimate(0.5), Estimate(0.9)], [0.0, 0.6, 1.0], [float("nan")] * 3, 1.0)
    >>> [round(utility.mean, 2) for utility in Chebyshev().utilities(three, 0.5)]
    [-0.4, -0.3, -0.5]

    RADAR (https://arxiv.org/abs/2509.25426), which scalarises performance and cost in this way.
    """

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return minus the greater shortfall of each candidate; where it is cost's, it has no standard error."""
        if quality_weight < SMALLEST_WEIGHT:
            return cheapest_first(prospects)
        return [
            _utility(quality_weight, reward, (1 - quality_weight) * cost)
            for reward, cost in zip(prospects.rewards, shares(prospects.costs_usd), strict=True)
        ]


def _utility(weight: float, reward: Estimate, price: float) -> Estimate:
    shortfall = weight * abs(1 - reward.mean)
    return Estimate(-shortfall, weight * reward.std) if shortfall >= price else Estimate(-price)
