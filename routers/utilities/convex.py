"""Quality and price in proportions that sum to one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.types import Estimate
from routers.utilities.ranks import SMALLEST_WEIGHT, cheapest_first

if TYPE_CHECKING:
    from routers.types import Prospects


class Convex:
    """Mix quality and cost as a convex combination.

        utility = (1 - mu) * quality - mu * scale * cost        mu = 1 - w

    where `w` is `quality_weight`. With the default scale the best candidate is that of `Linear` at the same dial;
    what differs is the range of the utilities, which stays near [-1, 1] wherever the dial stands, so that the
    temperature of a softmax keeps its meaning. At 0 the cheapest is best and quality breaks ties.

    Parameters: `scale`, what one USD counts for; by default one over what an average request costs with the
    dearest candidate (CARROT's published router takes 100).

    >>> from routers.types import Prospects
    >>> good_and_dear = Prospects([Estimate(0.8), Estimate(0.9)], [0.002, 0.01], [float("nan")] * 2, 0.01)
    >>> [round(utility.mean, 2) for utility in Convex().utilities(good_and_dear, 0.8)]
    [0.6, 0.52]

    CARROT (https://arxiv.org/abs/2502.03261).
    """

    def __init__(self, scale: float | None = None) -> None:
        if scale is not None and not 0 < scale < math.inf:
            raise ValueError(f"scale={scale} must be a positive number; leave it out to scale by the dearest candidate")
        self.scale = scale

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return the utility of each candidate; its standard error shrinks with the weight of quality."""
        if quality_weight < SMALLEST_WEIGHT:
            return cheapest_first(prospects)
        price = (1 - quality_weight) * self._scale(prospects.reference_usd)
        return [
            Estimate(quality_weight * reward.mean - price * cost, quality_weight * reward.std)
            for reward, cost in zip(prospects.rewards, prospects.costs_usd, strict=True)
        ]

    def _scale(self, reference_usd: float) -> float:
        if self.scale is not None:
            return self.scale
        return 1 / reference_usd if reference_usd > 0 else 0.0
