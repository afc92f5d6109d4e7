"""Isotonic regression: chances that never fall as scores rise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def isotonic(scores: Array, rewards: Array) -> tuple[Array, Array]:
    """Return the knots of the non-decreasing function that fits rewards `[r]` best: scores, and chances there.

    Neighbours that are out of order are pooled (PAV). A pool has two knots, its lowest score and its highest: it is
    flat inside, and straight to the next. Raises `ValueError` where there is no row.

    Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates" (2002).

    >>> isotonic(np.array([0.1, 0.2, 0.3]), np.array([0.0, 1.0, 0.0]))
    (array([0.1, 0.2, 0.3]), array([0. , 0.5, 0.5]))
    """
    if not len(scores):
        raise ValueError("there is no row to fit to")
    places, owner = np.unique(scores, return_inverse=True)
    weights = np.bincount(owner).astype(np.float64)
    pools: list[tuple[float, float, int]] = []  # sum, weight, how many places
    for total, weight in zip(np.bincount(owner, rewards).tolist(), weights.tolist(), strict=True):
        pools.append((total, weight, 1))
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            last = pools.pop()
            one = pools.pop()
            pools.append((one[0] + last[0], one[1] + last[1], one[2] + last[2]))
    counts = np.array([count for _, _, count in pools])
    means = np.array([total / weight for total, weight, _ in pools])
    ends = np.cumsum(counts) - 1
    knots, chances = np.stack([ends - counts + 1, ends], axis=1).ravel(), np.repeat(means, 2)
    once = np.append(np.diff(knots) > 0, [True])
    return places[knots[once]], chances[once]
