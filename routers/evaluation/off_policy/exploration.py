"""How much would have to be tried for a log to answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from routers.evaluation.off_policy.estimate import COVERAGE

#: The floors that are spoken of: the least probability that every model is given.
FLOORS: Final = (0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Exploration:
    """With a `floor` under every model's probability, so many `requests` (with a rating) give an interval as wanted."""

    floor: float
    requests: int


def requests_needed(floor: float, moved: float, deviation: float, half_width: float) -> int:
    """Return how many observed requests an interval of ± `half_width` needs.

    `moved` in [0, 1] is the share of the traffic that the policy sends where nobody goes but for the `floor`;
    `deviation` is the standard deviation of the values. The weight there is one over the floor:

        n = (z * deviation / half_width) ** 2 * (moved / floor + 1 - moved)

    >>> requests_needed(0.05, moved=0.5, deviation=0.4, half_width=0.02)
    16135

    Raises `ValueError` where the floor is no probability above zero, or the width is not positive.
    """
    if not 0 < floor <= 1:
        raise ValueError(f"floor={floor} must be a probability above zero")
    if not half_width > 0:
        raise ValueError(f"half_width={half_width} must be positive")
    z = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    return math.ceil((z * deviation / half_width) ** 2 * (moved / floor + 1 - moved))


def explorations(moved: float, deviation: float, half_width: float) -> tuple[Exploration, ...]:
    """Return what each of the `FLOORS` needs."""
    return tuple(Exploration(floor, requests_needed(floor, moved, deviation, half_width)) for floor in FLOORS)
