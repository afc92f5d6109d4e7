"""How likely is it to see so few errors? Exact tails and bounds, in numpy alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def binomial(errors: int, n: int, rate: float) -> float:
    """Return the chance of at most so many errors among n draws, each an error at that rate.

    >>> round(binomial(1, 10, 0.5), 6)
    0.010742
    """
    if errors >= n or rate <= 0:
        return 1.0
    if errors < 0 or rate >= 1:
        return 0.0
    places = np.arange(errors + 1)
    logs = _log_choose(n, places) + places * math.log(rate) + (n - places) * math.log1p(-rate)
    return _total(logs)


def hypergeometric(marked: int, drawn: int, errors: int, n: int) -> float:
    """Return the chance of at most `marked` errors among `drawn` of n things, of which `errors` are errors.

    >>> round(hypergeometric(0, 2, 1, 4), 6)
    0.5
    """
    lowest, highest = max(0, drawn - (n - errors)), min(drawn, errors)
    if marked >= highest:
        return 1.0
    if marked < lowest:
        return 0.0
    places = np.arange(lowest, marked + 1)
    logs = _log_choose(errors, places) + _log_choose(n - errors, drawn - places)
    return _total(logs - _log_choose(n, np.array([drawn])))


def hoeffding_bentkus(mean: float, n: int, rate: float) -> float:
    """Return a bound on the chance that n losses in [0, 1] have a mean this low, where `rate` is expected of them.

    Hoeffding's bound in its tight form, or Bentkus', whichever is smaller; exact tails are smaller still where losses
    are 0 or 1.

    Bates et al., "Distribution-Free, Risk-Controlling Prediction Sets" (https://arxiv.org/abs/2101.02703).

    >>> hoeffding_bentkus(0.2, 50, 0.1)
    1.0
    """
    if mean >= rate:
        return 1.0
    hoeffding = math.exp(-n * _divergence(mean, rate))
    # Rounded up, but for what the last digit of a mean adds.
    bentkus = math.e * binomial(math.ceil(n * mean - 1e-9), n, rate)
    return min(hoeffding, bentkus, 1.0)


def overtaking(errors: int, n: int, rate: float, horizon: int) -> float:
    """Return the chance that n rows show at most so many errors, and the `horizon` next more than the rate allows.

    Each further error of a path whose errors only ever grow falls on one of the rows, or on one of the requests to
    come, and on all of them alike if they are exchangeable. What is returned is the chance that those to come have one
    too many before the rows have one more than `errors` (a negative hypergeometric distribution): it bounds the whole
    path, not one setting alone. As the horizon grows it becomes the binomial tail.

    >>> round(overtaking(0, 1, 0.0, 1), 6)
    0.5
    """
    allowed = math.floor(rate * horizon + 1e-9)
    if allowed >= horizon:
        return 0.0
    together = min(errors + allowed + 1, n + horizon)
    return hypergeometric(errors, n, together, n + horizon)


def _divergence(mean: float, rate: float) -> float:
    """Return how far a mean is from a rate: Kullback and Leibler's divergence of two coins."""
    if rate >= 1:
        return math.inf
    least = mean * math.log(mean / rate) if mean > 0 else 0.0
    return least + (1 - mean) * math.log((1 - mean) / (1 - rate))


def _log_choose(n: int, places: NDArray[np.intp]) -> Array:
    """Return the logarithms of how many ways there are to choose so many of n."""
    every = math.lgamma(n + 1)
    return np.array([every - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in places.tolist()])


def _total(logs: Array) -> float:
    return min(float(np.exp(logs).sum()), 1.0)
