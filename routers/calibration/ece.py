"""How far chances are from what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Resamples of the interval, and what they are drawn by.
RESAMPLES, SEED = 200, 0
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """The expected calibration error of `n` answers, and its bootstrap interval of 95 %; NaN where there is none.

    With few answers it is above zero by chance, however good the chances are: hold it against the interval's width.
    """

    value: float
    interval: tuple[float, float]
    n: int


def calibration_error(chances: Array, rewards: Array, bins: int = BINS) -> CalibrationError:
    """Return by how much chances and rewards `[r]` differ, over bins that hold as many answers each.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning" (2015).

    >>> calibration_error(np.array([0.25] * 4), np.array([0.0, 1.0, 0.0, 1.0])).value
    0.25
    """
    n = len(chances)
    if not n:
        return CalibrationError(np.nan, (np.nan, np.nan), 0)
    edges = np.unique(np.quantile(chances, np.arange(1, bins) / bins))
    owner = np.searchsorted(edges, chances, side="left")
    missed = chances - rewards
    weights = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    drawn = [_error(missed * weight, owner) for weight in weights]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return CalibrationError(_error(missed, owner), (float(low), float(high)), n)


def _error(missed: Array, owner: NDArray[np.intp]) -> float:
    return float(np.abs(np.bincount(owner, missed)).sum() / len(missed))
