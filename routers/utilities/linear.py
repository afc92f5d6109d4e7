"""Quality less price, on a dial without units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.types import Estimate
from routers.utilities.ranks import SMALLEST_WEIGHT, cheapest_first

if TYPE_CHECKING:
    from routers.types import Prospects


class Linear:
    """Subtract the cost from the quality, at a price of money that the dial sets.

        utility = quality - (1 - w) / w * cost / reference

    where `w` is `quality_weight` and `reference` what an average request costs with the dearest candidate. At 1
    quality alone counts, at 0.5 the dearest candidate has to be better by a whole reward, at 0 the cheapest is best
    and quality breaks ties. Multiplying every price by the same factor changes nothing.

    >>> from routers.types import Prospects
    >>> good_and_dear = Prospects([Estimate(0.8), Estimate(0.9)], [0.002, 0.01], [float("nan")] * 2, 0.01)
    >>> [round(utility.mean, 2) for utility in Linear().utilities(good_and_dear, 0.8)]
    [0.75, 0.65]

    The willingness to pay of RouterBench (https://arxiv.org/abs/2403.12031).
    """

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return the utility of each candidate; its standard error is that of the reward."""
        if quality_weight < SMALLEST_WEIGHT:
            return cheapest_first(prospects)
        if prospects.reference_usd <= 0:
            return list(prospects.rewards)
        price = (1 - quality_weight) / quality_weight / prospects.reference_usd
        return [
            Estimate(reward.mean - price * cost, reward.std)
            for reward, cost in zip(prospects.rewards, prospects.costs_usd, strict=True)
        ]
