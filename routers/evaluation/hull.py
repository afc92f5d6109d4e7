"""The non-decreasing upper concave hull of points of cost and quality, and the area under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Column = NDArray[np.float64]


def hull(cost: ArrayLike, quality: ArrayLike) -> tuple[Column, Column]:
    """Return the corners of the hull: costs that rise, and qualities that rise ever more slowly.

    A point between two corners is reached by mixing them at random. Where it costs more, nothing is gained: beyond
    the last corner the hull is flat. Raises `ValueError` where there is no point.

    >>> hull([1, 2, 3, 4], [0.5, 0.6, 0.9, 0.8])
    (array([1., 3.]), array([0.5, 0.9]))
    """
    costs, qualities = np.asarray(cost, np.float64).ravel(), np.asarray(quality, np.float64).ravel()
    if not costs.size:
        raise ValueError("there is no point to draw a hull over")
    corners: list[tuple[float, float]] = []
    order = np.lexsort((-qualities, costs))
    for x, y in zip(costs[order].tolist(), qualities[order].tolist(), strict=True):
        if corners and y <= corners[-1][1]:
            continue
        while len(corners) > 1 and _above(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    return np.array([x for x, _ in corners]), np.array([y for _, y in corners])


def area(corners: tuple[Column, Column], low: float, high: float) -> float:
    """Return the mean height of the hull between two costs; its height there where they are equal.

    Left of its first corner the hull is taken to be as high as that, right of its last as high as the last.
    """
    costs, qualities = corners
    if not high > low:
        return float(np.interp(low, costs, qualities))
    grid = _grid(costs, low, high)
    return float(np.trapezoid(np.interp(grid, costs, qualities), grid) / (high - low))


def log_area(corners: tuple[Column, Column], low: float, high: float) -> float:
    """Return the mean height over the logarithm of the cost: each doubling counts the same.

    The hull is the same as for `area`, and its segments are integrated exactly. Where `low` is zero there is no
    logarithm, and the result is NaN.
    """
    costs, qualities = corners
    if not high > low:
        return float(np.interp(low, costs, qualities))
    if low <= 0:
        return float("nan")
    grid = _grid(costs, low, high)
    heights = np.interp(grid, costs, qualities)
    width = np.diff(np.log(grid))
    slope = np.diff(heights) / np.diff(grid)
    # On a segment the height is h + s (c - c0); its integral over ln c is (h - s c0) ln(c1 / c0) + s (c1 - c0).
    total = (heights[:-1] - slope * grid[:-1]) * width + slope * np.diff(grid)
    return float(total.sum() / np.log(high / low))


def first_reach(places: Column, heights: Column, wanted: float) -> float | None:
    """Return the first place at which a line through points, from left to right, is that high; None where it never is.

    >>> first_reach(np.array([1.0, 3.0]), np.array([0.5, 1.0]), 0.75)
    2.0
    """
    high_enough = heights >= wanted - _TOLERANCE
    if not high_enough.any():
        return None
    reached = int(high_enough.argmax())
    if reached == 0:
        return float(places[0])
    before, after = heights[reached - 1], heights[reached]
    part = min((wanted - before) / (after - before), 1.0)
    return float(places[reached - 1] + part * (places[reached] - places[reached - 1]))


#: By how much a mean may miss another for reasons of rounding alone.
_TOLERANCE = 1e-9


def _above(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Tell whether the line from first to last passes above the middle, or through it."""
    left = (middle[1] - first[1]) * (last[0] - first[0])
    return left <= (last[1] - first[1]) * (middle[0] - first[0])


def _grid(costs: Column, low: float, high: float) -> Column:
    inner = costs[(costs > low) & (costs < high)]
    return np.concatenate([[low], inner, [high]])
