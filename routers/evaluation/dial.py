"""Where the dial is put, to see all that a router can do."""

from __future__ import annotations

import math

#: How many settings there are between the two ends.
STEPS = 41
#: Natural logarithms of the price of money, in units of the dearest model's average cost: from next to nothing, where
#: only quality counts, to a thousand rewards for it, where any saving does.
LOWEST, HIGHEST = -9.0, 7.0


def dial(steps: int = STEPS) -> tuple[float, ...]:
    """Return quality weights that rise from 0 to 1: the ends, and between them evenly spaced prices of money.

    A weight w prices money at `(1 - w) / w`, and the logarithm of that is what is evenly spaced. Raises `ValueError`
    for fewer than two steps.

    >>> [round(w, 4) for w in dial(3)]
    [0.0, 0.0009, 0.7311, 0.9999, 1.0]
    """
    if steps < 2:
        raise ValueError(f"steps={steps} must be at least 2")
    logarithms = [HIGHEST - (HIGHEST - LOWEST) * i / (steps - 1) for i in range(steps)]
    return (0.0, *(1 / (1 + math.exp(t)) for t in logarithms), 1.0)
