"""Logistic regression: the chance that a model's answer is right, from the request's embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.estimators.ridge import ALPHAS, fit_lines
from routers.fit import LEAST_WEIGHT, Fitted, learnable
from routers.leverage import Leverage
from routers.odds import chances, sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.rows import Rows
    from routers.types import FloatArray

    Array = NDArray[np.float64]

_ARRAYS = ("coefficients", "intercepts", "weights", "penalties")

#: Steps of the solver, which rarely needs a hundred, and how flat the loss shall be where it ends.
_MAX_STEPS = 10_000
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Curves:
    """One curve a model: coefficients `[m, d]`; the others `[m]`. NaN for a model that has no curve.

    `weights` are the means of `p (1 - p)` over the rows: how much one row says about the log-odds. `penalties`
    are those of the coefficients in units of it.
    """

    coefficients: Array
    intercepts: Array
    weights: Array
    penalties: Array
    leverage: Leverage

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> _Curves:
        """Return what `state` returned. Raises `KeyError`."""
        return cls(**{name: state[name] for name in _ARRAYS}, leverage=Leverage.restored(state))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _ARRAYS} | self.leverage.state()

    def at(self, embedding: FloatArray) -> Array:
        """Return mean and standard error for one request, `[2, m]`."""
        odds = np.vecdot(self.coefficients, embedding.astype(np.float64)) + self.intercepts
        return chances(odds, np.sqrt(self.leverage.at(embedding, self.penalties) / self.weights))


class Logistic(Fitted[_Curves]):
    """Estimate a model's reward by logistic regression on the embedding, with an intercept that is not penalised.

    A reward `r` between 0 and 1 counts as a right answer of weight `r` and a wrong one of weight `1 - r`:

        mean = p(x) = 1 / (1 + exp(-(a + x' b)))
        a, b minimise  |b|**2 / 2 - c * sum (r log p + (1 - r) log(1 - p))

    The standard error is that of the Laplace approximation, in which every row is taken to say `w`, the mean of
    `p (1 - p)`, about the log-odds; with centred embeddings `X`

        std of the log-odds ** 2 = (1 / n + x' (X'X + I / (c w))^-1 x) / w

    and that of the reward is half the distance between the chances one such error below and above.

    A model whose rewards are all 0 or all 1, and a request without an embedding, get the model's mean; a
    model never observed 0.5 with an error of 0.5.

    Parameters: `c`, how strongly the rows count against the penalty (null: chosen as `Ridge` chooses its own, by
    the leave-one-out error of the first Newton step from the model's mean, which is a ridge regression);
    `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> logistic = Logistic(c=10.0)
    >>> logistic.learn(Outcomes(("small",), np.array([[1, 0], [-1, 0]]), np.array([[1.0], [0.0]]), gap, gap))
    >>> like_the_first = Context("hello", 2, embedding=np.array([1, 0], np.float32))
    >>> f"{logistic.predict([like_the_first], [Candidate('small')]).mean[0, 0]:.3f}"
    '0.894'

    "Large Language Model Routing with Benchmark Datasets" (https://arxiv.org/abs/2309.15789); the Laplace
    approximation: MacKay, "The Evidence Framework Applied to Classification Networks"
    (https://doi.org/10.1162/neco.1992.4.5.720).
    """

    def __init__(self, c: float | None = None, max_rows: int = 100_000) -> None:
        if c is not None and not 0 < c < np.inf:
            raise ValueError(f"c={c} must be above 0, or null to have it chosen")
        self.c = c
        super().__init__(_Curves, max_rows)

    def _fitted(self, rows: Rows) -> _Curves:
        return _fit(rows, self.c)


def _fit(rows: Rows, c: float | None) -> _Curves:
    """Fit one curve a model to the rows where it was observed."""
    observed = learnable(rows)
    points, rewards = rows.embeddings.astype(np.float64), rows.rewards.astype(np.float64)
    lines = fit_lines(rows, ALPHAS if c is None else ALPHAS[:1])
    found = np.full((len(rows.models), points.shape[1] + 3), np.nan)
    for column, seen in enumerate(observed.T):
        own = rewards[seen, column]
        if _varied(own):
            found[column] = _curve(points[seen], own, c or _strength(own, lines.alphas[column]))
    coefficients, intercepts, weights, strengths = (
        np.ascontiguousarray(found[:, :-3]),
        found[:, -3],
        found[:, -2],
        found[:, -1],
    )
    return _Curves(coefficients, intercepts, weights, 1 / (strengths * weights), lines.leverage)


def _strength(rewards: Array, alpha: float) -> float:
    """Return the `c` by which the first Newton step from the mean is the ridge regression of penalty `alpha`."""
    mean = rewards.mean()
    return float(1 / (alpha * mean * (1 - mean)))


def _varied(rewards: Array) -> bool:
    """Tell whether there is something right and something wrong among the rewards."""
    return bool((rewards > 0).any() and (rewards < 1).any())


def _curve(points: Array, rewards: Array, c: float) -> Array:
    """Fit rewards `[n]` at points `[n, d]`; return coefficients, intercept, weight and `c`, `[d + 3]`."""
    from sklearn.linear_model import LogisticRegression

    weights = np.concatenate([rewards, 1 - rewards])
    right = np.repeat([1, 0], len(rewards))
    used = weights > 0
    model = LogisticRegression(C=c, tol=_TOLERANCE, max_iter=_MAX_STEPS)
    model.fit(np.concatenate([points, points])[used], right[used], weights[used])
    p = sigmoid(points @ model.coef_[0] + model.intercept_[0])
    return np.array([*model.coef_[0], model.intercept_[0], max((p * (1 - p)).mean(), LEAST_WEIGHT), c])
