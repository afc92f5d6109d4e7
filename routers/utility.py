"""Quality less price: what a candidate is worth, on a dial without units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routers.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Below this weight quality only breaks ties: the price of money would exceed what floats can weigh.
SMALLEST_WEIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class Exchange:
    """The rate at which cost is subtracted from quality.

    `quality_weight` w in [0, 1] is the dial, `reference_usd` what an average request costs with the
    dearest candidate. One USD weighs `(1 - w) / (w * reference_usd)`: at 1 quality alone counts, at 0.5
    the dearest candidate has to be better by a whole reward, at 0 the cheapest is best and quality
    breaks ties. Multiplying every price by the same factor changes nothing.

    >>> good, fair = Estimate(0.9), Estimate(0.8)
    >>> [round(u.mean, 2) for u in Exchange(0.8, 0.01).utilities([good, fair], [0.01, 0.002])]
    [0.65, 0.75]
    """

    quality_weight: float
    reference_usd: float

    def utilities(self, rewards: Sequence[Estimate], costs_usd: Sequence[float]) -> list[Estimate]:
        """Return the utility of each candidate, given its expected reward and cost."""
        if self.quality_weight < SMALLEST_WEIGHT:
            return _cheapest_first(rewards, costs_usd)
        if self.reference_usd <= 0:
            return list(rewards)
        price = (1 - self.quality_weight) / self.quality_weight
        relative = (cost / self.reference_usd for cost in costs_usd)
        return [Estimate(r.mean - price * c, r.std) for r, c in zip(rewards, relative, strict=True)]


def _cheapest_first(rewards: Sequence[Estimate], costs_usd: Sequence[float]) -> list[Estimate]:
    """Rank by cost, then by quality: the utility is minus the rank, and equals share one."""
    keys = [(cost, -reward.mean) for reward, cost in zip(rewards, costs_usd, strict=True)]
    rank = {key: place for place, key in enumerate(sorted(set(keys)))}
    return [Estimate(float(-rank[key])) for key in keys]
