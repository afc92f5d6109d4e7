"""Platt scaling: the reward that a score stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.odds import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: One imagined observation of reward 0.5 for each model, which keeps equal rewards from meaning certainty.
INTERCEPT_PRECISION = 0.25
#: How firmly the slope is held at 0, where scores mean nothing, while there is little to say otherwise.
SLOPE_PRECISION = 1.0
#: Newton's method ends after so many steps, or with one that is this small.
ROUNDS, SMALL = 50, 1e-9


@dataclass(frozen=True, slots=True)
class Platt:
    """Rewards of models by their scores: `sigmoid(slope * score + intercept)`.

    The slope is shared by all models, so that it is known well; the intercept `[m]` is each model's own.

    Platt, "Probabilistic Outputs for Support Vector Machines" (1999).

    >>> scores = np.array([[-1.0], [1.0]] * 500)
    >>> platt = Platt.fit(scores, np.array([[0.25], [0.75]] * 500))
    >>> np.round(sigmoid(platt.logits(np.array([-1.0, 1.0]))), 2).tolist()
    [0.25, 0.75]
    """

    slope: float
    intercepts: Array

    @classmethod
    def identity(cls, models: int) -> Platt:
        """Return the scaling that takes a score for a logit."""
        return cls(1.0, np.zeros(models))

    @classmethod
    def fit(cls, scores: Array, rewards: NDArray[np.floating], slope: float | None = None) -> Platt:
        """Fit scores `[n, m]` to rewards `[n, m]` in [0, 1], of which NaN was not observed.

        A slope that is given is kept; one that is found is never negative. A model without rewards gets the mean
        intercept of those that have some; where there are no rewards at all a score is taken for a logit.
        """
        observed = ~np.isnan(rewards)
        if not observed.any():
            return cls.identity(scores.shape[1])
        known = np.where(observed, rewards, 0).astype(np.float64)
        found = _descended(scores, known, observed, slope)
        if slope is None and found[0] < 0:
            found = _descended(scores, known, observed, 0.0)
        seen = observed.any(axis=0)
        return cls(float(found[0]), np.where(seen, found[1:], found[1:][seen].mean()))

    def logits(self, scores: Array) -> Array:
        """Return the logits of the rewards for scores `[..., m]`."""
        return self.slope * scores + self.intercepts


def _descended(scores: Array, rewards: Array, observed: NDArray[np.bool_], slope: float | None) -> Array:
    """Return the slope and the intercepts of least loss, by Newton's method; a slope that is given is kept."""
    values = np.zeros(1 + scores.shape[1])
    values[0] = slope or 0
    for _ in range(ROUNDS):
        loss, gradient, curvature = _slopes(values, scores, rewards, observed)
        if slope is not None:
            gradient[0] = curvature[0, 1:] = curvature[1:, 0] = 0
        step = np.linalg.solve(curvature, gradient)
        while _slopes(values - step, scores, rewards, observed)[0] > loss and np.abs(step).max() > SMALL:
            step = step / 2
        values = values - step
        if np.abs(step).max() <= SMALL:
            break
    return values


def _slopes(values: Array, scores: Array, rewards: Array, observed: NDArray[np.bool_]) -> tuple[float, Array, Array]:
    """Return the cross-entropy with the priors, its gradient, and its second derivatives."""
    logits = values[0] * scores + values[1:]
    expected = sigmoid(logits)
    precisions = np.array([SLOPE_PRECISION] + [INTERCEPT_PRECISION] * (len(values) - 1))
    loss = (np.logaddexp(0, logits) - rewards * logits)[observed].sum() + precisions @ values**2 / 2
    errors = np.where(observed, expected - rewards, 0)
    spread = np.where(observed, expected * (1 - expected), 0)
    curvature = np.diag(precisions + np.concatenate([[(spread * scores**2).sum()], spread.sum(axis=0)]))
    curvature[0, 1:] = curvature[1:, 0] = (spread * scores).sum(axis=0)
    gradient = precisions * values + np.concatenate([[(errors * scores).sum()], errors.sum(axis=0)])
    return float(loss), gradient, curvature
