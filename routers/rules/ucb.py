"""The best that may be hoped for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate

#: Requests over which what is learned has to pay, unless said otherwise.
HORIZON: Final = 8000.0
#: Variance of one reward about what is expected of it: by it a standard error is worth so many observations.
_NOISE: Final = 0.2


class Ucb:
    """Take the candidate whose utility could be the greatest: the estimate, and some standard errors more.

    How many depends on what could still be learned: with a standard error s, which is that of 0.2 / s^2 observations,
    they are `alpha * sqrt(max(0, log(1 + horizon s^2 / 0.2) - 1))`, which falls to none once the observations are a
    share of the `horizon` large enough that more of them would not pay. Without a horizon they are `alpha`, always.

    What little is known of is tried until it is known to be worse; equals, as are models that nobody has asked, share
    evenly. It is sure of its choice otherwise: give it a `Floor` for logs from which other policies can be evaluated.

    >>> from routers.types import Estimate
    >>> sure, unsure = Estimate(0.6, 0.01), Estimate(0.5, 0.1)
    >>> Ucb(alpha=0.25).distribution([sure, unsure]), Ucb(alpha=1).distribution([sure, unsure])
    ([1.0, 0.0], [0.0, 1.0])
    >>> Ucb(alpha=1, horizon=None).distribution([sure, Estimate(0.5, 0.12)])
    [0.0, 1.0]

    Li et al., "A Contextual-Bandit Approach to Personalized News Article Recommendation"
    (https://arxiv.org/abs/1003.0146); a bonus that ends with the horizon, as that of MOSS (Audibert and Bubeck, COLT
    2009) and the finite-horizon Gittins index (Lattimore, https://arxiv.org/abs/1511.06014).
    """

    def __init__(self, alpha: float = 1.0, horizon: float | None = HORIZON) -> None:
        if alpha < 0:
            raise ValueError(f"alpha={alpha} must not be negative")
        if horizon is not None and not 0 < horizon < math.inf:
            raise ValueError(f"horizon={horizon} must be a positive number of requests, or null")
        self.alpha = alpha
        self.horizon = horizon

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return one for the greatest hope, shared among equals, and zero for the others."""
        hopes = [utility.mean + self._bonus(utility.std) for utility in utilities]
        best = max(hopes)
        return [float(hope == best) / hopes.count(best) for hope in hopes]

    def _bonus(self, std: float) -> float:
        if self.horizon is None:
            return self.alpha * std
        return self.alpha * std * math.sqrt(max(math.log1p(self.horizon * std**2 / _NOISE) - 1, 0.0))
