"""How far one column of values agrees with another, and how sure that is.

Each statistic is a function of weights, `[resamples, n]`, and returns a value for each row of them: all ones give the
value itself, the counts of a bootstrap's draws its distribution (Efron and Tibshirani, chapter 13).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Column: TypeAlias = "NDArray[np.float64]"
Statistic: TypeAlias = "Callable[[Column], Column]"

#: How often rows are drawn anew, and of more rows than this a sample stands for all in that.
RESAMPLES: Final = 400
MAX_ROWS: Final = 10_000
#: Equal parts of [0, 1] within which what was said is compared with what was found.
BINS: Final = 10
#: Below this a divisor is nothing but what rounding left.
NOTHING: Final = 1e-9
#: The quantile of the normal distribution that leaves 2.5 % above it.
_Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether a value lies within."""
        return self.low <= value <= self.high


def wilson(successes: float, n: int) -> Interval | None:
    """Return a share with Wilson's score interval (1927), None of nothing."""
    if n == 0:
        return None
    share, square = successes / n, _Z**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = _Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return Interval(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))


class Resampling:
    """Draws `n` rows with replacement, the same ones for every statistic."""

    def __init__(self, n: int, seed: int = 0, resamples: int = RESAMPLES) -> None:
        rng = np.random.default_rng(seed)
        self._ones = np.ones((1, n))
        self._counts = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64) if n else self._ones

    def of(self, statistic: Statistic) -> Interval | None:
        """Return a statistic with its percentile interval; None where it is not defined for these rows."""
        value = float(statistic(self._ones)[0])
        if not math.isfinite(value):
            return None
        drawn = statistic(self._counts)
        low, high = np.quantile(drawn[np.isfinite(drawn)], (0.025, 0.975))
        return Interval(value, min(float(low), value), max(float(high), value))


def mean(values: Column) -> Statistic:
    """Return the weighted mean of some values."""
    return lambda weights: _divided(weights @ values, weights.sum(axis=1))


def area(said: Column, good: NDArray[np.bool_]) -> Statistic:
    """Return the area under the ROC curve: how often what is good was said to be better than what is bad.

    Equal values count one half (Hanley and McNeil, 1982). NaN without any good or any bad.
    """
    order = np.argsort(said, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(said[order]) > 0]) if len(said) else np.zeros(0, np.intp)
    truth = good[order].astype(np.float64)

    def statistic(weights: Column) -> Column:
        if not len(said):
            return np.full(len(weights), np.nan)
        drawn = weights[:, order]
        positive = np.add.reduceat(drawn * truth, starts, axis=1)
        negative = np.add.reduceat(drawn * (1 - truth), starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        won = (positive * (below + negative / 2)).sum(axis=1)
        return _divided(won, pairs)

    return statistic


def calibration_error(said: Column, found: Column) -> Statistic:
    """Return the expected calibration error: by how much what was said misses what was found, within each bin."""
    bins = np.minimum((said * BINS).astype(np.intp), BINS - 1)
    member = np.eye(BINS)[bins] if len(said) else np.zeros((0, BINS))
    gap = (said - found)[:, None] * member

    def statistic(weights: Column) -> Column:
        return _divided(np.abs(weights @ gap).sum(axis=1), weights.sum(axis=1))

    return statistic


def kappa(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Statistic:
    """Return Cohen's kappa (1960): by how much more two agree than by chance. NaN where chance leaves no room."""
    first, second = one.astype(np.float64), other.astype(np.float64)

    def statistic(weights: Column) -> Column:
        total = weights.sum(axis=1)
        agreed = weights @ (first == second).astype(np.float64) / total
        yes, also = weights @ first / total, weights @ second / total
        chance = yes * also + (1 - yes) * (1 - also)
        return _divided(agreed - chance, 1 - chance)

    return statistic


def correlation(one: Column, other: Column) -> Statistic:
    """Return Pearson's correlation. NaN where one of them never differs."""

    def statistic(weights: Column) -> Column:
        share = weights / weights.sum(axis=1, keepdims=True)
        first, second = share @ one, share @ other
        both = share @ (one * other) - first * second
        spread = (share @ one**2 - first**2) * (share @ other**2 - second**2)
        return _divided(both, np.sqrt(np.maximum(spread, 0)))

    return statistic


def explained(spoke: NDArray[np.bool_], found: Column) -> Statistic:
    """Return how much a sign tells where it is seen: of what is found there around the usual, the share that it says.

    That is d² / (d² + s²): d is how far the mean where it is seen is from the mean of all, s how what is found there
    scatters. It is 0 for a sign that tells nothing, and 1 for one after which nothing is in doubt.
    """
    seen = spoke.astype(np.float64)

    def statistic(weights: Column) -> Column:
        usual, count = weights @ found / weights.sum(axis=1), weights @ seen
        there = _divided(weights @ (seen * found), count)
        square = _divided(weights @ (seen * found**2), count)
        distance, scatter = (there - usual) ** 2, np.maximum(square - there**2, 0)
        whole = distance + scatter
        return np.where(whole <= NOTHING, 0.0, _divided(distance, whole))

    return statistic


def _divided(part: Column, whole: Column) -> Column:
    """Return a quotient; NaN where the divisor is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > NOTHING), np.float64)
