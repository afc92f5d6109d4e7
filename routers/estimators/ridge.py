"""Ridge regression: a model's reward as a linear function of the request's embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.fit import Fitted, learnable
from routers.leverage import Leverage, Spectrum, groups
from routers.tally import PRIOR_VARIANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.rows import Rows
    from routers.types import FloatArray

    Array = NDArray[np.float64]

#: Penalties tried where none is given, the smoothest first: of equals it is taken.
ALPHAS = tuple(10.0**exponent for exponent in np.arange(5, -1.5, -0.5).tolist())

_ARRAYS = ("coefficients", "intercepts", "alphas", "variances")


@dataclass(frozen=True, slots=True)
class Lines:
    """One line a model: coefficients `[m, d]`; the others `[m]`. NaN for a model without rows to fit."""

    coefficients: Array
    intercepts: Array
    alphas: Array
    variances: Array
    leverage: Leverage

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Lines:
        """Return what `state` returned. Raises `KeyError`."""
        return cls(**{name: state[name] for name in _ARRAYS}, leverage=Leverage.restored(state))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _ARRAYS} | self.leverage.state()

    def at(self, embedding: FloatArray) -> Array:
        """Return mean and standard error for one request, `[2, m]`."""
        mean = np.vecdot(self.coefficients, embedding.astype(np.float64)) + self.intercepts
        return np.stack([mean, np.sqrt(self.variances * self.leverage.at(embedding, self.alphas))])


class Ridge(Fitted[Lines]):
    """Estimate a model's reward by ridge regression on the embedding, with an intercept that is not penalised.

    Over the rows where a model was observed, with centred embeddings `X` and rewards `r` of mean `r_model`:

        mean     = r_model + x' b,  b = (X'X + alpha I)^-1 X'r
        std ** 2 = s2 (1 / n + x' (X'X + alpha I)^-1 x)

    which is the variance of the posterior mean if the noise has variance `s2` and the coefficients have
    `s2 / alpha` beforehand; `s2` is the mean square of the leave-one-out residuals, with one more of 0.25.
    Leave-one-out residuals need no second fit: they are the residuals over one minus the rows' leverages.
    Models observed on the same rows share the decomposition of `X'X`, and the penalty if it is chosen: the one
    by which the differences between their rewards are predicted best, for on these a choice depends. (How hard
    a request is for all models alike is easier to predict, and asks for a smaller penalty.)

    A request without an embedding gets the model's mean; a model never observed 0.5 with an error of 0.5.

    Parameters: `alpha`, the penalty (null: the one with the least leave-one-out error);
    `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> ridge = Ridge(alpha=1.0)
    >>> ridge.learn(Outcomes(("small",), np.array([[1, 0], [-1, 0]]), np.array([[1.0], [0.0]]), gap, gap))
    >>> like_the_first = Context("hello", 2, embedding=np.array([1, 0], np.float32))
    >>> f"{ridge.predict([like_the_first], [Candidate('small')]).mean[0, 0]:.3f}"  # 1 / 2 + 1 / (2 + 1)
    '0.833'

    RouterBench's linear router (https://arxiv.org/abs/2403.12031); the plug-in estimators of CARROT
    (https://arxiv.org/abs/2502.03261).
    """

    def __init__(self, alpha: float | None = None, max_rows: int = 100_000) -> None:
        if alpha is not None and not 0 < alpha < np.inf:
            raise ValueError(f"alpha={alpha} must be above 0, or null to have it chosen")
        self.alpha = alpha
        super().__init__(Lines, max_rows)

    def _fitted(self, rows: Rows) -> Lines:
        return fit_lines(rows, ALPHAS if self.alpha is None else (self.alpha,))


def fit_lines(rows: Rows, alphas: Sequence[float]) -> Lines:
    """Fit one line a model, with the best of the penalties, to what is learnable of the rows.

    Models observed on the same rows are fitted together and have the same penalty.
    """
    patterns, group = groups(learnable(rows))
    points, rewards = rows.embeddings.astype(np.float64), rows.rewards.astype(np.float64)
    spectra = [Spectrum.of(points[pattern]) for pattern in patterns]
    found = np.full((len(rows.models), points.shape[1] + 3), np.nan)
    for index, (pattern, spectrum) in enumerate(zip(patterns, spectra, strict=True)):
        columns = np.flatnonzero(group == index)
        if spectrum.count:
            found[columns] = _lines(points[pattern], rewards[pattern][:, columns], spectrum, np.array(alphas))
    leverage = Leverage.joined(spectra, group, points.shape[1])
    return Lines(np.ascontiguousarray(found[:, :-3]), found[:, -3], found[:, -2], found[:, -1], leverage)


def _lines(points: Array, rewards: Array, spectrum: Spectrum, alphas: Array) -> Array:
    """Fit rewards `[n, m]` at points `[n, d]`; return coefficients, intercept, penalty and variance, `[m, d + 3]`."""
    along = (points - spectrum.centre) @ spectrum.directions.T
    centred = rewards - rewards.mean(axis=0)
    moments = along.T @ centred
    weights = 1 / (spectrum.strengths[:, None] + alphas)  # [d, alphas]
    # Of a single row the leverage is one and the residual zero: nothing is known of the noise.
    rest = np.maximum(1 - 1 / spectrum.count - along**2 @ weights, np.finfo(float).eps)
    squares, errors = np.empty((len(alphas), len(rewards.T))), np.empty(len(alphas))
    for index, (weight, left) in enumerate(zip(weights.T, rest.T, strict=True)):
        residuals = (centred - along @ (weight[:, None] * moments)) / left[:, None]
        squares[index], errors[index] = (residuals**2).sum(axis=0), _routing_error(residuals)
    best = errors.argmin()
    coefficients = (weights[:, best, None] * moments).T @ spectrum.directions
    intercepts = rewards.mean(axis=0) - coefficients @ spectrum.centre
    variances = (squares[best] + PRIOR_VARIANCE) / (spectrum.count + 1)
    return np.column_stack([coefficients, intercepts, np.full(len(variances), alphas[best]), variances])


def _routing_error(residuals: Array) -> float:
    """Return how far the differences between models are missed, or a single model's rewards; of `[n, m]`."""
    missed = residuals - residuals.mean(axis=1, keepdims=True) if len(residuals.T) > 1 else residuals
    return float((missed**2).sum())
