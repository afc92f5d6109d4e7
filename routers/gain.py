"""What one more answer is expected to be worth."""

from __future__ import annotations

import math


def expected_gain(mean: float, std: float, at_hand: float) -> float:
    """Return by how much the better of two answers is expected to be better than the one at hand.

    Of the other a normal distribution is expected; `at_hand` is known: E[max(X, h)] - h.

    >>> expected_gain(0.9, 0.0, 0.5), expected_gain(0.1, 0.0, 0.5)
    (0.4, 0.0)
    >>> round(expected_gain(0.5, 0.2, 0.5), 4)
    0.0798
    """
    if std <= 0:
        return max(mean - at_hand, 0.0)
    distance = (mean - at_hand) / std
    density = math.exp(-distance * distance / 2) / math.sqrt(2 * math.pi)
    return (mean - at_hand) * (1 + math.erf(distance / math.sqrt(2))) / 2 + std * density
