"""How many requests it takes until a difference is found, as often as it is looked for."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from routers.sequential.boundary import Boundary

#: No traffic is larger: what takes as many is never found.
MOST: Final = 10**12
#: What is planned with before anything was seen: standard deviations of one answer, of cost and latency over the mean.
#: Ratings that are good or bad, an error in thirty answers, costs and latencies with a long tail.
PLANNED: Final = {"quality": 0.45, "errors": 0.17, "cost": 1.1, "latency": 1.1}


def information_needed(effect: float, deviation: float, boundary: Boundary, power: float = 0.95) -> float:
    """Return how much information finds an effect with probability `power`, looked at then; it may be found before.

    >>> from routers.sequential.boundary import Boundary
    >>> round(information_needed(0.03, 0.45, Boundary(0.0125, tuned_at=5000)))
    5464
    """
    if effect <= 0:
        return math.inf
    luck = NormalDist().inv_cdf(power)

    def found(information: float) -> bool:
        return effect * math.sqrt(information) >= (boundary.errors(information) + luck) * deviation

    low, high = 1.0, 2.0
    while not found(high):
        low, high = high, high * 2
        if high > MOST:
            return math.inf
    while high - low > max(0.5, high * 1e-6):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def requests_needed(information: float, share: float, seen: float = 1.0) -> float:
    """Return how many requests bring that much information, the candidate serving `share` of them.

    `seen` is the part of them of which the measure is known.
    """
    worth = share * (1 - share) * seen
    return math.ceil(information / worth) if worth > 0 and math.isfinite(information) else math.inf
