"""Watching a promise: is the rate of errors above what was promised, at whatever moment one looks?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Rates that the bound is looked for among.
RATES: Final = np.concatenate([np.linspace(0.001, 0.1, 100), np.linspace(0.105, 0.995, 179)])
#: What is staked of the capital in each bet; nobody knows beforehand which is best, so each gets a share.
STAKES: Final = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75])


@dataclass(frozen=True, slots=True)
class Monitor:
    """Bets that each of `RATES` is too low for the errors that come; it is, once a bet has multiplied by 1 / eta.

    The bets are fair or worse where a rate is kept to, so they multiply that far with a chance of at most eta,
    however often one looks. Errors may be observed of a part of the requests: `least` is the smallest chance that any
    of them has to be observed; those that are not are left out.

    Parameters: `alpha`, the rate that was promised; `eta`, the chance of a false alarm, ever; `least` in (0, 1].

    Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"
    (https://arxiv.org/abs/2010.09686); Ville's inequality.

    >>> watched = Monitor(alpha=0.05, eta=0.05)
    >>> watched.observing([0.0] * 500).alarm, watched.observing([0.0, 1.0] * 10).alarm
    (False, True)
    """

    alpha: float
    eta: float
    least: float = 1.0
    n: int = 0
    errors: float = 0.0
    wealth: Array | None = None

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 < self.alpha < 1 or not 0 < self.eta < 1 or not 0 < self.least <= 1:
            raise ValueError(f"alpha={self.alpha}, eta={self.eta} and least={self.least} must be shares above 0")

    def observing(self, losses: Sequence[float], chances: Sequence[float] | None = None) -> Monitor:
        """Return the monitor after losses in [0, 1], each observed by its chance (by default `least`).

        Raises `ValueError` for a loss that is none, or for a chance below `least`.
        """
        seen = [self.least] * len(losses) if chances is None else chances
        wealth = self._wealth
        for loss, chance in zip(losses, seen, strict=True):
            if not 0 <= loss <= 1 or not self.least <= chance <= 1:
                raise ValueError(f"loss={loss} must be in [0, 1], and chance={chance} in [{self.least}, 1]")
            wealth = wealth + np.log1p(STAKES[:, None] * self.least / chance * (loss / self._rates - 1))
        return replace(self, n=self.n + len(losses), errors=self.errors + math.fsum(losses), wealth=wealth)

    @property
    def bound(self) -> float:
        """Return the rate that errors exceed, with confidence 1 - eta at all times together; 0 where none is known."""
        capital = np.log(np.exp(np.minimum(self._wealth, 700)).mean(axis=0))
        beaten = self._rates[capital >= -math.log(self.eta)]
        return float(beaten.max(initial=0.0))

    @property
    def alarm(self) -> bool:
        """Tell whether the rate is above what was promised, or the promise no longer holds."""
        return self.bound >= self.alpha

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what was observed, as arrays."""
        return {"wealth": self._wealth, "counts": np.array([self.n, self.errors])}

    def restored(self, state: Mapping[str, NDArray[np.generic]]) -> Monitor:
        """Return this monitor with what `state` returned. Raises `KeyError`."""
        n, errors = state["counts"].astype(np.float64).tolist()
        return replace(self, n=int(n), errors=errors, wealth=state["wealth"].astype(np.float64))

    @property
    def _rates(self) -> Array:
        """Return the rates, the promised one among them."""
        return np.union1d(RATES, [self.alpha])

    @property
    def _wealth(self) -> Array:
        return np.zeros((len(STAKES), len(self._rates))) if self.wealth is None else self.wealth
