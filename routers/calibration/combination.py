"""Several scores of an answer, combined to the chance that it is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.odds import log_odds, sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: A score is taken to be no nearer to 0 or 1.
LEAST: Final = 0.01
#: How firmly weights are held at 0, and models' intercepts at each other's, in observations.
WEIGHT_PRECISION, INTERCEPT_PRECISION = 1.0, 4.0
#: Newton's method ends after so many steps, or with one that is this small.
ROUNDS, SMALL = 50, 1e-8


@dataclass(frozen=True, slots=True)
class Combination:
    """Log odds as a weighted sum of scores' log odds: `weights` `[k]` are shared, `intercepts` are the models' own.

    `intercept` is all models' together, to which their own are drawn, and that of a model never seen. What a score that
    is missing (NaN) would have added is left out.

    >>> scores = np.array([[0.1], [0.9]] * 50)
    >>> made = Combination.fit(scores, ["small"] * 100, np.array([0.0, 1.0] * 50))
    >>> (made.chances(scores[:2], ["small"] * 2) > 0.5).tolist()
    [False, True]
    """

    weights: Array
    intercept: float
    models: tuple[str, ...]
    intercepts: Array

    @classmethod
    def fit(cls, scores: Array, models: Sequence[str], rewards: Array) -> Combination:
        """Fit `scores` `[r, k]` in [0, 1] of answers by `models` `[r]` to their rewards `[r]` in [0, 1]."""
        known = tuple(sorted(set(models)))
        place = {model: i for i, model in enumerate(known)}
        own = np.array([place[model] for model in models], np.intp)
        k = scores.shape[1]
        values = np.zeros(k + 1 + len(known))
        precisions = np.r_[np.full(k, WEIGHT_PRECISION), 1e-6, np.full(len(known), INTERCEPT_PRECISION)]
        features = np.column_stack([_features(scores), np.ones(len(own))])
        for _ in range(ROUNDS if len(own) else 0):
            gradient, curvature = _slopes(values, features, own, rewards, precisions)
            step = np.clip(np.linalg.solve(curvature, gradient), -2, 2)
            values = values - step
            if np.abs(step).max() <= SMALL:
                break
        return cls(values[:k], float(values[k]), known, values[k + 1 :])

    def chances(self, scores: Array, models: Sequence[str]) -> Array:
        """Return the chances `[r]` of answers with these scores `[r, k]`."""
        place = {model: i for i, model in enumerate(self.models)}
        own = np.array([self.intercepts[place[model]] if model in place else 0.0 for model in models])
        return sigmoid(_features(scores) @ self.weights + self.intercept + own)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the fit, as arrays."""
        return {
            "weights": self.weights,
            "intercept": np.array(self.intercept),
            "models": np.array(self.models, dtype=np.str_),
            "intercepts": self.intercepts,
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Combination:
        """Return what `state` returned. Raises `KeyError`."""
        weights, intercept, intercepts = (
            state[name].astype(np.float64) for name in ("weights", "intercept", "intercepts")
        )
        return cls(weights, float(intercept), tuple(state["models"].tolist()), intercepts)


def _features(scores: Array) -> Array:
    """Return log odds; 0 where there is no score."""
    return np.where(np.isnan(scores), 0.0, log_odds(np.nan_to_num(scores, nan=0.5), LEAST))


def _slopes(
    values: Array, features: Array, own: NDArray[np.intp], rewards: Array, precisions: Array
) -> tuple[Array, Array]:
    """Return the gradient of the cross-entropy with the priors, and its second derivatives."""
    shared, models = features.shape[1], len(values) - features.shape[1]
    expected = sigmoid(features @ values[:shared] + values[shared:][own])
    errors, spread = expected - rewards, expected * (1 - expected)
    gradient = precisions * values + np.r_[features.T @ errors, np.bincount(own, errors, models)]
    curvature = np.diag(precisions + np.r_[np.zeros(shared), np.bincount(own, spread, models)])
    curvature[:shared, :shared] += (features * spread[:, None]).T @ features
    cross = np.stack([np.bincount(own, spread * column, models) for column in features.T])
    curvature[:shared, shared:], curvature[shared:, :shared] = cross, cross.T
    return gradient, curvature
