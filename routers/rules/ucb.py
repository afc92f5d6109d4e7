"""The best that may be hoped for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate


class Ucb:
    """Take the candidate whose utility could be the greatest: the estimate, and `alpha` standard errors more.

    What little is known of is tried until it is known to be worse. The first of equals is taken. It draws from no
    distribution: give it a `Floor` for logs from which other policies can be evaluated.

    >>> from routers.types import Estimate
    >>> sure, unsure = Estimate(0.6, 0.01), Estimate(0.5, 0.1)
    >>> Ucb(alpha=0.5).distribution([sure, unsure]), Ucb(alpha=2).distribution([sure, unsure])
    ([1.0, 0.0], [0.0, 1.0])

    Li et al., "A Contextual-Bandit Approach to Personalized News Article Recommendation"
    (https://arxiv.org/abs/1003.0146).
    """

    def __init__(self, alpha: float = 1.5) -> None:
        if alpha < 0:
            raise ValueError(f"alpha={alpha} must not be negative")
        self.alpha = alpha

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return one for the greatest hope, zero for the others."""
        hopes = [utility.mean + self.alpha * utility.std for utility in utilities]
        best = hopes.index(max(hopes))
        return [float(i == best) for i in range(len(utilities))]
