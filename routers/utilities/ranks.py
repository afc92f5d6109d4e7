"""An order of candidates as utilities: the best has zero, and each one after it one less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routers.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Prospects

#: Below this weight quality only breaks ties: the price of money would exceed what floats can weigh.
SMALLEST_WEIGHT = 1e-9


def ranked(keys: Sequence[Any]) -> list[Estimate]:
    """Return minus the place of each key, the least first; equals share one.

    >>> [utility.mean for utility in ranked([0.3, 0.1, 0.3])]
    [-1.0, 0.0, -1.0]
    """
    place = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return [Estimate(float(-place[key])) for key in keys]


def cheapest_first(prospects: Prospects) -> list[Estimate]:
    """Rank by cost, then by quality."""
    return ranked([(cost, -reward.mean) for cost, reward in zip(prospects.costs_usd, prospects.rewards, strict=True)])
