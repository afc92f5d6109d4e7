"""How far a running mean may stray: a bound that holds at every time at once, so that looking early costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Boundary:
    """The one-sided normal-mixture boundary (Howard et al., arXiv 1810.08240, eq. 14), in standard errors.

    With the variance estimated it bounds asymptotically (Waudby-Smith et al., arXiv 2103.06476): the chance that a mean
    is ever, at whatever time, further from the truth than so many standard errors is at most `alpha`. `information` is
    the number of observations, or what stands for it; the bound is tightest about `tuned_at`, and a factor of ten away
    from it still near to that.

    >>> [round(Boundary(0.05, tuned_at=1000).errors(n), 2) for n in (50, 1000, 20000)]
    [4.35, 2.78, 3.11]
    """

    alpha: float
    tuned_at: float

    def __post_init__(self) -> None:
        """Refuse what bounds nothing."""
        if not 0 < self.alpha < 0.5 or self.tuned_at <= 0:
            raise ValueError(f"alpha {self.alpha:g} is to be in (0, 0.5), tuned_at {self.tuned_at:g} above 0")

    def errors(self, information: float) -> float:
        """Return how many standard errors the bound is away from the mean; infinite where nothing is known."""
        if information <= 0:
            return math.inf
        time = information * self._rate
        return math.sqrt(2 * (1 + 1 / time) * math.log1p(math.sqrt(1 + time) / (2 * self.alpha)))

    @property
    def _rate(self) -> float:
        """Return the mixture's variance that makes the bound about as tight as can be at `tuned_at`."""
        doubt = -2 * math.log(2 * self.alpha)
        return (doubt + math.log(doubt + 1) + 1) / self.tuned_at
