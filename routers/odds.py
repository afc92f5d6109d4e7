"""Chances and their log odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def sigmoid(margins: Array) -> Array:
    """Return the logistic function, the inverse of `log_odds`, without overflow.

    >>> sigmoid(np.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    return np.asarray(0.5 * (1 + np.tanh(0.5 * margins)))


def log_odds(chances: Array, least: float) -> Array:
    """Return the log odds of chances, which are taken to be no nearer to 0 or 1 than `least`.

    >>> log_odds(np.array([0.5, 0.0]), least=0.25).round(2).tolist()
    [0.0, -1.1]
    """
    held = np.clip(chances, least, 1 - least)
    return np.asarray(np.log(held / (1 - held)))


def softplus(values: Array) -> Array:
    """Return `log(1 + exp(x))`, without overflow."""
    return np.asarray(np.logaddexp(0, values))


def deviation(margins: Array, errors: Array) -> Array:
    """Return the standard error of a chance, at most a half, from that of its log odds.

    It is half of what lies between one error less and one more: near 0 and 1, where the curve is flat, the
    tangent would be too sure of itself.
    """
    return np.asarray((sigmoid(margins + errors) - sigmoid(margins - errors)) / 2)


def chances(margins: Array, errors: Array) -> Array:
    """Return the chances and their standard errors, `[2, m]`, from log odds and theirs, `[m]`.

    >>> chances(np.array([0.0]), np.array([0.1])).round(4).tolist()
    [[0.5], [0.025]]
    """
    return np.stack([sigmoid(margins), deviation(margins, errors)])
