"""The boldest setting whose risk is proved to be low enough, out of a path from timid to bold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.conformal.tails import binomial, hoeffding_bentkus, overtaking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: How far rounding may carry a mean of losses.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be proved: a risk of at most `alpha`, with confidence `1 - eta`.

    Without a `horizon`, the risk is what is expected of traffic. With one, it is the share of errors among so many
    requests to come, whose luck is counted too: that asks for more rows, and is what can be seen afterwards.
    """

    alpha: float
    eta: float
    horizon: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no share, or no number of requests."""
        if not 0 < self.alpha < 1 or not 0 < self.eta < 1:
            raise ValueError(f"alpha={self.alpha} and eta={self.eta} must be between 0 and 1")
        if self.horizon is not None and self.horizon < 1:
            raise ValueError(f"horizon={self.horizon} must be at least 1 request, or None")

    def p_value(self, losses: Array) -> float:
        """Return the chance to see losses `[n]` this low where the risk is above alpha.

        It is exact where losses are 0 or 1. Raises `ValueError` for others where there is a horizon.
        """
        n = len(losses)
        if not n:
            return 1.0
        errors = float(losses.sum())
        if not ((losses == 0) | (losses == 1)).all():
            if self.horizon is not None:
                raise ValueError("losses must be 0 or 1 where there is a horizon; leave the horizon out")
            return hoeffding_bentkus(errors / n, n, self.alpha)
        if self.horizon is None:
            return binomial(round(errors), n, self.alpha)
        return overtaking(round(errors), n, self.alpha, self.horizon)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was proved, on `n` rows: each of the first `proved` settings of the path keeps to the target.

    `risks` and `p_values` `[proved]` are what those settings came to on the rows, in the order of the path.
    """

    target: Target
    n: int
    risks: tuple[float, ...]
    p_values: tuple[float, ...]

    @property
    def proved(self) -> int:
        """Return how many settings keep to the target; where none does, only the reference is left."""
        return len(self.risks)

    def cheapest(self, costs: Array) -> int | None:
        """Return the proved setting of least cost, of costs `[s]` by setting; None where none is proved."""
        return int(np.argmin(costs[: self.proved])) if self.proved else None


def certify(losses: Array, target: Target) -> Certificate:
    """Test settings one after the other, until the first that cannot be proved.

    `losses` is `[s, n]`, in [0, 1], of settings from the most timid to the boldest: the order has to be known before
    the rows are seen, and the rows must not have been used to find the settings. Testing in a fixed order costs no
    confidence, however many settings there are, so all that pass are proved together, and any may be taken. Where
    there is a horizon, losses must only ever grow along the path, as `growing` makes them.

    With too few rows for the target nothing is proved. The rows, and what comes, must be exchangeable.

    Angelopoulos et al., "Learn then Test" (https://arxiv.org/abs/2110.01052), fixed sequence testing.
    Raises `ValueError` for losses outside [0, 1], or that shrink where there is a horizon.

    >>> path = np.zeros((3, 60))
    >>> path[1, :1], path[2, :9] = 1, 1
    >>> certify(path, Target(alpha=0.1, eta=0.1)).proved
    2
    """
    if losses.size and not (losses.min() >= 0 and losses.max() <= 1):
        raise ValueError(f"losses must be in [0, 1], not between {losses.min()} and {losses.max()}")
    if target.horizon is not None and (np.diff(losses, axis=0) < -_ROUNDING).any():
        raise ValueError("losses must not shrink along the path where there is a horizon; give `growing(losses)`")
    risks, p_values = [], []
    for setting in losses:
        p_value = target.p_value(setting)
        if p_value > target.eta:
            break
        risks.append(float(setting.mean()))
        p_values.append(p_value)
    return Certificate(target, losses.shape[1], tuple(risks), tuple(p_values))


def growing(losses: Array) -> Array:
    """Return losses `[s, n]` that never shrink along the path: what a row once lost stays lost.

    They are no less than what was given, so what is proved of them is true of it.

    >>> growing(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    return np.asarray(np.maximum.accumulate(losses, axis=0))
