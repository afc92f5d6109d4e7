"""The better, the likelier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate


class Softmax:
    """Take each candidate with a probability in proportion to `exp(utility / temperature)`.

    Two candidates whose utilities differ by `temperature` differ by a factor of e.

    >>> from routers.types import Estimate
    >>> [round(p, 3) for p in Softmax(0.1).distribution([Estimate(0.8), Estimate(0.9)])]
    [0.269, 0.731]

    Boltzmann exploration: Sutton and Barto, "Reinforcement Learning", section 2.8.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        if not temperature > 0:
            raise ValueError(f"temperature={temperature} must be positive; for the best alone use 'greedy'")
        self.temperature = temperature

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return the exponentials, divided by their sum."""
        best = max(utility.mean for utility in utilities)
        weights = [math.exp((utility.mean - best) / self.temperature) for utility in utilities]
        total = math.fsum(weights)
        return [weight / total for weight in weights]
