"""Gates of a known error, made up from outcomes: what a cascade would be worth with a gate that good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def verdicts(rewards: NDArray[np.floating], error: float, rng: np.random.Generator) -> Array:
    """Return 1 for answers that are good (a reward of at least a half) and 0 for others, wrong by that chance.

    RouterBench's simulated judge (https://arxiv.org/abs/2403.12031). Raises `ValueError` for what is no chance.

    >>> verdicts(np.array([[0.9, 0.1]]), 0.0, np.random.default_rng(0)).tolist()
    [[1.0, 0.0]]
    """
    if not 0 <= error <= 1:
        raise ValueError(f"error={error} must be a chance")
    wrong = rng.random(rewards.shape) < error
    return ((rewards >= 0.5) ^ wrong).astype(np.float64)


def noisy(rewards: NDArray[np.floating], deviation: float, rng: np.random.Generator) -> Array:
    """Return rewards with normal noise of that standard deviation, kept in [0, 1] by the logistic function.

    Raises `ValueError` for a deviation that is not positive.
    """
    if deviation <= 0:
        raise ValueError(f"deviation={deviation} must be positive")
    centred = rewards - 0.5 + deviation * rng.standard_normal(rewards.shape)
    return np.asarray(0.5 + 0.5 * np.tanh(centred))


def error_of(scores: Array, rewards: NDArray[np.floating]) -> float:
    """Return how often a gate with these scores errs, at the threshold at which it errs least.

    Errors are the mean of two shares: bad answers that it would let through, and good ones that it would not; so a gate
    that lets through everything errs in a half of the cases, however good the answers are. NaN scores or rewards do not
    count; without both kinds of answers it is a half.

    >>> error_of(np.array([0.0, 1.0, 1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0, 0.0]))
    0.125
    """
    known = ~np.isnan(scores) & ~np.isnan(rewards)
    score, good = scores[known], rewards[known] >= 0.5
    if not good.any() or good.all():
        return 0.5
    order = np.argsort(score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) > 0, True))
    rejected_good = np.cumsum(good[order])[last] / good.sum()
    rejected_bad = np.cumsum(~good[order])[last] / (~good).sum()
    return min(0.5, float(((rejected_good + 1 - rejected_bad) / 2).min()))
