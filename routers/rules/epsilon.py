"""The best, and now and then any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.rules.greedy import Greedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate


class Epsilon:
    """Take the best candidate, or with probability `epsilon` any of them, the best included.

    >>> from routers.types import Estimate
    >>> Epsilon(0.5).distribution([Estimate(0.2), Estimate(0.9)])
    [0.25, 0.75]

    Sutton and Barto, "Reinforcement Learning", section 2.2.
    """

    def __init__(self, epsilon: float = 0.05) -> None:
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon={epsilon} must be a probability")
        self.epsilon = epsilon

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return the greedy choice mixed with the uniform one."""
        share = self.epsilon / len(utilities)
        return [share + (1 - self.epsilon) * best for best in Greedy().distribution(utilities)]
