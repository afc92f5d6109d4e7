"""Weights over quality, cost and latency."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.types import Estimate
from routers.utilities.ranks import SMALLEST_WEIGHT, cheapest_first
from routers.utilities.shares import completed, shares

if TYPE_CHECKING:
    from routers.types import Prospects


class Preference:
    """Weigh several criteria, each between 0 and 1, higher being better.

        utility = w * (quality * reward + latency * (1 - t / t_max)) + (1 - w) * cost * (1 - c / c_max)

    where `w` is `quality_weight`, `t` and `c` the candidate's expected latency and cost, and `t_max` and `c_max` the
    greatest among the candidates for this request. The dial stands between money and all else, so that turning it
    down never buys a dearer answer (as it could if speed were on money's side); at 0 the cheapest is best and quality
    breaks ties. A latency that is unknown counts as the longest one known; where none is, latency makes no
    difference.

    Parameters: `quality`, `cost` and `latency`, the weights, in any unit.

    >>> from routers.types import Prospects
    >>> good_and_slow = Prospects([Estimate(0.8), Estimate(0.9)], [0.002, 0.01], [1.0, 4.0], 0.01)
    >>> [round(utility.mean, 3) for utility in Preference(latency=1.0).utilities(good_and_slow, 0.5)]
    [0.392, 0.15]

    BaRP (https://arxiv.org/abs/2510.07429); Tryage (https://arxiv.org/abs/2308.11601).
    """

    def __init__(self, quality: float = 1.0, cost: float = 1.0, latency: float = 0.0) -> None:
        weights = {"quality": quality, "cost": cost, "latency": latency}
        if wrong := {name: weight for name, weight in weights.items() if not 0 <= weight < math.inf}:
            raise ValueError(f"weights must be finite and not negative, unlike {wrong}")
        if not (total := sum(weights.values())):
            raise ValueError("quality, cost and latency must not all be 0: nothing would be preferred")
        self.quality = quality
        self.cost = cost
        self.latency = latency
        self._total = total

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return the utility of each candidate, between 0 and 1."""
        if quality_weight < SMALLEST_WEIGHT:
            return cheapest_first(prospects)
        quality, latency = (quality_weight * weight / self._total for weight in (self.quality, self.latency))
        cost = (1 - quality_weight) * self.cost / self._total
        slow, dear = shares(completed(prospects.latencies_s)), shares(prospects.costs_usd)
        return [
            Estimate(quality * reward.mean + latency * (1 - t) + cost * (1 - c), quality * reward.std)
            for reward, t, c in zip(prospects.rewards, slow, dear, strict=True)
        ]
