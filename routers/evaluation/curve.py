"""One number after another about a curve of cost and quality.

A curve is the mean cost and the mean quality of a router at each setting of its dial. All its measures are of the
same requests as the yardstick's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.hull import area, first_reach, hull, log_area

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.evaluation.yardstick import Yardstick

    Column = NDArray[np.float64]

#: RouterArena's range of costs, in USD per 1000 requests, and how much more accuracy counts than cost.
ARENA_USD, ARENA_BETA = (0.0044, 200.0), 0.1
#: The share of the strongest model's quality of which CPT90 asks the price.
CPT_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Measures:
    """What is said of one curve. None: it is never reached, or there is nothing to divide by.

    `corners` are the hull's costs and qualities, the cheapest single model among its points.
    """

    aiq: float
    aiq_log: float | None
    max_accuracy: float
    cost_at_max_usd: float
    accuracy_at_baseline_cost: float
    match_cost_ratio: float | None
    deferral_area: float
    qnc: float | None
    hypervolume: float
    cpt90: float | None
    perf_gain: float | None
    cost_save: float | None
    gap_to_oracle: float | None
    arena_score: float
    rank_score: float
    corners: tuple[Column, Column]


def measure(cost: Column, quality: Column, yardstick: Yardstick, *, mixing: bool = False) -> Measures:
    """Measure a curve of `k` settings, given their mean costs and qualities `[k]`.

    Where `mixing` any two of them at random is a setting too, every point of the hull is one.
    """
    low, high = yardstick.cheapest.cost_usd, yardstick.dearest_usd
    corners = with_cheapest(cost, quality, yardstick)
    joined = corners if mixing else (cost, quality)
    best = top(cost, quality)
    logarithmic = log_area(corners, low, high)
    match = _relative(first_reach(*corners, yardstick.baseline.quality), yardstick.baseline.cost_usd)
    return Measures(
        aiq=area(corners, low, high),
        aiq_log=None if math.isnan(logarithmic) else logarithmic,
        max_accuracy=float(quality[best]),
        cost_at_max_usd=float(cost[best]),
        accuracy_at_baseline_cost=float(np.interp(yardstick.baseline.cost_usd, *corners)),
        match_cost_ratio=match,
        deferral_area=deferral_area(*joined, yardstick),
        qnc=qnc(*joined, yardstick),
        hypervolume=below_hull(cost, quality, high) if mixing else hypervolume(cost, quality, high),
        cpt90=_relative(first_reach(*corners, CPT_SHARE * yardstick.strongest.quality), yardstick.strongest.cost_usd),
        perf_gain=_gain(float(quality[best]), yardstick.baseline.quality),
        cost_save=None if match is None else 1 - match,
        gap_to_oracle=_gap(float(quality[best]), yardstick.oracle_quality),
        arena_score=max(arena_score(1000 * c, q) for c, q in zip(cost.tolist(), quality.tolist(), strict=True)),
        rank_score=max(rank_score(c, q, low, high) for c, q in zip(cost.tolist(), quality.tolist(), strict=True)),
        corners=corners,
    )


def with_cheapest(cost: Column, quality: Column, yardstick: Yardstick) -> tuple[Column, Column]:
    """Return the hull over a curve's points and the cheapest single model, which anybody can have."""
    cheapest = yardstick.cheapest
    return hull(np.append(cost, cheapest.cost_usd), np.append(quality, cheapest.quality))


def top(cost: Column, quality: Column) -> int:
    """Return the place of the most accurate setting, the cheapest of equals."""
    return int(np.lexsort((cost, -quality))[0])


def deferral_area(cost: Column, quality: Column, yardstick: Yardstick) -> float:
    """Return the mean height of the deferral curve between the cheapest and the dearest single model (UniRoute).

    As AIQ, without the hull: the settings are joined by straight lines in the order of their costs.
    """
    return area(_deferral(cost, quality, yardstick), yardstick.cheapest.cost_usd, yardstick.dearest_usd)


def qnc(cost: Column, quality: Column, yardstick: Yardstick) -> float | None:
    """Return the least cost at which the deferral curve is as good as the strongest single model, over its cost.

    "Quality-neutral cost" (UniRoute): 1 is no saving. None where it is never as good.
    """
    reached = first_reach(*_deferral(cost, quality, yardstick), yardstick.strongest.quality)
    return _relative(reached, yardstick.strongest.cost_usd)


def hypervolume(cost: Column, quality: Column, dearest_usd: float) -> float:
    """Return the area that the settings dominate, from quality 0 and the dearest single model's cost (RADAR).

    Costs are divided by the dearest's, so that 1 would be a perfect router that costs nothing. Settings dearer than
    that dominate nothing.
    """
    if dearest_usd <= 0:
        return float(quality.max(initial=0))
    order = np.lexsort((-quality, cost))
    share = np.minimum(cost[order] / dearest_usd, 1)
    best_so_far = np.maximum.accumulate(quality[order])
    return float((np.diff(np.append(share, 1)) * best_so_far).sum())


def below_hull(cost: Column, quality: Column, dearest_usd: float) -> float:
    """Return the area that the settings dominate, as `hypervolume`, where any two of them may be mixed at random."""
    corners = hull(cost, quality)
    first = float(corners[0][0])
    if dearest_usd <= 0 or first >= dearest_usd:
        return hypervolume(*corners, dearest_usd)
    return area(corners, first, dearest_usd) * (1 - first / dearest_usd)


def arena_score(usd_per_1000: float, accuracy: float) -> float:
    """Return RouterArena's score of one setting; a cost outside its range counts as the range's end.

    >>> round(arena_score(1.0, 0.7), 4)
    0.6744
    """
    low, high = ARENA_USD
    usd = min(max(usd_per_1000, low), high)
    cheapness = math.log2(high / usd) / math.log2(high / low)
    below = ARENA_BETA * accuracy + cheapness
    return (1 + ARENA_BETA) * accuracy * cheapness / below if below else 0.0


def rank_score(cost_usd: float, accuracy: float, low: float, high: float) -> float:
    """Return the harmonic mean of accuracy and of the saving against the dearest single model (VL-RouterBench).

    The saving is 1 at the cheapest single model's cost `low` or below, 0 at the dearest's `high` or above.
    """
    saving = min(max((high - cost_usd) / (high - low), 0.0), 1.0) if high > low else 1.0
    return 2 * accuracy * saving / (accuracy + saving) if accuracy + saving else 0.0


def pareto_front(cost: Column, quality: Column) -> tuple[Column, Column]:
    """Return the points that no other is at once as cheap and better, or as good and cheaper; by cost."""
    order = np.lexsort((-quality, cost))
    costs, qualities = cost[order], quality[order]
    before = np.concatenate([[-np.inf], np.maximum.accumulate(qualities)[:-1]])
    kept = qualities > before
    return costs[kept], qualities[kept]


def pareto_distance(cost: Column, quality: Column, front: tuple[Column, Column], dearest_usd: float) -> float:
    """Return the mean distance of the settings to the nearest point of a front, costs over the dearest's."""
    unit = dearest_usd if dearest_usd > 0 else 1.0
    across = (cost[:, None] - front[0][None, :]) / unit
    distances = np.hypot(across, quality[:, None] - front[1][None, :])
    return float(distances.min(axis=1).mean())


def _deferral(cost: Column, quality: Column, yardstick: Yardstick) -> tuple[Column, Column]:
    """Return the settings and the cheapest single model by cost, the best of those of one cost."""
    costs = np.append(cost, yardstick.cheapest.cost_usd)
    qualities = np.append(quality, yardstick.cheapest.quality)
    order = np.lexsort((-qualities, costs))
    different, first = np.unique(costs[order], return_index=True)
    return different, qualities[order][first]


def _relative(cost: float | None, reference: float) -> float | None:
    return None if cost is None or reference <= 0 else cost / reference


def _gain(quality: float, reference: float) -> float | None:
    return quality / reference - 1 if reference > 0 else None


def _gap(quality: float, oracle: float) -> float | None:
    return (oracle - quality) / oracle if oracle > 0 else None
