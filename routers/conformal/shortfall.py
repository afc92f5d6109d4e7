"""Falling short of the reference: what counts as it, who is expected to, and whom to take at a price for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.types import Outcomes

    Array = NDArray[np.float64]

#: What falling short costs, in average answers of the reference: from never worth it to hardly avoided. The path is
#: fixed before any row is seen, and fine, since testing in a fixed order costs nothing.
PRICES: Final = np.exp(np.linspace(np.log(1000), np.log(0.01), 300))
#: How far two rewards may be apart and count as equal.
_ROUNDING = 1e-6


def shortfalls(rewards: NDArray[np.floating], reference: int, delta: float) -> Array:
    """Return 1 where a reward is worse than the reference's by more than delta, else 0, for rewards `[n, m]`.

    Of a model that was not observed nothing is known, so that it counts as worse. Where the reference was not
    observed, all is NaN.

    >>> shortfalls(np.array([[0.5, 0.9, np.nan]]), 1, 0.2).tolist()
    [[1.0, 0.0, 1.0]]
    """
    held = rewards[:, [reference]]
    worse = (np.isnan(rewards) | (held - rewards > delta + _ROUNDING)).astype(np.float64)
    return np.where(np.isnan(held), np.nan, worse)


def adequacies(outcomes: Outcomes, reference: str, delta: float) -> Outcomes:
    """Return the same outcomes with 1 for a reward that does not fall short of the reference's, 0 for one that does.

    What was not observed stays so, and so does a row in which the reference was not: estimators that learn from this
    expect the chance of an answer to be good enough.
    """
    if reference not in outcomes.models:
        return replace(outcomes, rewards=np.full_like(outcomes.rewards, np.nan))
    worse = shortfalls(outcomes.rewards, outcomes.models.index(reference), delta)
    good = np.where(np.isnan(outcomes.rewards), np.nan, 1 - worse)
    return replace(outcomes, rewards=good.astype(np.float32))


def choices(
    chances: Array, costs_usd: Array, reference: int, unit_usd: float, prices: Array = PRICES
) -> NDArray[np.intp]:
    """Return whom each request takes at each price, `[s, n]`, given chances to be good enough `[n, m]`.

    Whoever costs least, falling short included: `cost + price * unit * (1 - chance)`. The reference never falls
    short, and is preferred among equals, and where its cost is unknown; nobody else is taken of whom a chance or a
    cost is.

    >>> choices(np.array([[0.9, 1.0]]), np.array([[1.0, 10.0]]), 1, 10.0)[[0, -1], 0].tolist()
    [1, 0]
    """
    known = ~np.isnan(chances) & ~np.isnan(costs_usd)
    risk = np.where(known, 1 - chances, 0)
    cost = np.where(known, costs_usd, np.inf)
    risk[:, reference] = 0
    cost[:, reference] = np.nan_to_num(costs_usd[:, reference], nan=-np.inf)
    order = np.r_[reference, np.delete(np.arange(chances.shape[1]), reference)]
    totals = (cost + price * unit_usd * risk for price in prices)
    return np.stack([order[total[:, order].argmin(axis=1)] for total in totals])
