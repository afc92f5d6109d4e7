"""The cheapest that is good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.utilities.ranks import ranked

if TYPE_CHECKING:
    from routers.types import Estimate, Prospects

#: What rounding may take from a reward without making it inadequate.
ROUNDING = 1e-6


class Adequate:
    """Prefer the cheapest candidate whose expected reward is adequate; where none is, the best.

    Adequate is a reward of at least `quality_floor`, or of at least that of the best candidate less `slack`. Where
    neither is given, the dial sets the slack, to `1 - quality_weight`: at 1 only the best will do, at 0 all do.
    With either of them the dial changes nothing. Adequate candidates are ranked by cost, then quality, before all
    others, which are ranked by quality; a utility is minus the rank.

    Parameters: `quality_floor` or `slack`, both in [0, 1].

    >>> from routers.types import Estimate, Prospects
    >>> three = Prospects([Estimate(0.2), Estimate(0.8), Estimate(0.9)], [1.0, 2.0, 3.0], [float("nan")] * 3, 3.0)
    >>> [utility.mean for utility in Adequate(quality_floor=0.7).utilities(three, 0.5)]
    [-2.0, 0.0, -1.0]

    Ares (https://arxiv.org/abs/2603.07915) on the least effort that suffices.
    """

    def __init__(self, quality_floor: float | None = None, slack: float | None = None) -> None:
        if quality_floor is not None and slack is not None:
            raise ValueError(f"quality_floor={quality_floor} and slack={slack} exclude each other; give one")
        for name, value in (("quality_floor", quality_floor), ("slack", slack)):
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name}={value} must lie between 0 and 1")
        self.quality_floor = quality_floor
        self.slack = slack

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return minus the rank of each candidate; equals share one."""
        floor = self._floor(prospects, quality_weight)
        return ranked(
            [
                (False, cost, -reward.mean) if reward.mean >= floor else (True, -reward.mean, cost)
                for reward, cost in zip(prospects.rewards, prospects.costs_usd, strict=True)
            ]
        )

    def _floor(self, prospects: Prospects, quality_weight: float) -> float:
        if self.quality_floor is not None:
            return self.quality_floor - ROUNDING
        slack = 1 - quality_weight if self.slack is None else self.slack
        return max(reward.mean for reward in prospects.rewards) - slack - ROUNDING
