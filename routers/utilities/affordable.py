"""The best that is cheap and fast enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.types import Estimate
from routers.utilities.shares import completed

if TYPE_CHECKING:
    from routers.types import Prospects

#: The utility of the cheapest candidate that is beyond the limits: far below any reward.
BEYOND = -10.0


class Affordable:
    """Prefer the best of the candidates within the limits; where none is, the cheapest.

    A candidate is affordable if it is expected to cost at most `max_cost_usd` and to take at most `deadline_s`.
    Where no `max_cost_usd` is given the dial sets it, between the cheapest candidate's expected cost (0) and the
    dearest's (1). The utility of an affordable candidate is its reward; the others rank by cost, far below. A latency
    that is unknown counts as the longest one known; where none is, there is no deadline.

    Parameters: `max_cost_usd`, for one request; `deadline_s`, for the whole answer.

    >>> from routers.types import Prospects
    >>> three = Prospects([Estimate(0.2), Estimate(0.8), Estimate(0.9)], [0.1, 0.2, 0.3], [float("nan")] * 3, 0.3)
    >>> [utility.mean for utility in Affordable(max_cost_usd=0.25).utilities(three, 0.5)]
    [0.2, 0.8, -12.0]

    "Learned Best-Effort LLM Serving" (https://arxiv.org/abs/2401.07886) on quality within a deadline.
    """

    def __init__(self, max_cost_usd: float | None = None, deadline_s: float | None = None) -> None:
        if max_cost_usd is not None and not max_cost_usd >= 0:
            raise ValueError(f"max_cost_usd={max_cost_usd} must not be negative")
        if deadline_s is not None and not deadline_s > 0:
            raise ValueError(f"deadline_s={deadline_s} must be more than 0")
        self.max_cost_usd = max_cost_usd
        self.deadline_s = deadline_s

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return the reward of each affordable candidate, and less than any for the others."""
        cap = self._cap(prospects, quality_weight)
        return [
            reward if cost <= cap and self._in_time(latency) else Estimate(BEYOND - place)
            for place, (reward, cost, latency) in enumerate(
                zip(prospects.rewards, prospects.costs_usd, completed(prospects.latencies_s), strict=True)
            )
        ]

    def _cap(self, prospects: Prospects, quality_weight: float) -> float:
        if self.max_cost_usd is not None:
            return self.max_cost_usd
        cheapest, dearest = prospects.costs_usd[0], prospects.costs_usd[-1]
        return max((1 - quality_weight) * cheapest + quality_weight * dearest, cheapest)

    def _in_time(self, latency_s: float) -> bool:
        return self.deadline_s is None or latency_s <= self.deadline_s
