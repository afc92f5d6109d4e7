"""What kind of request it is: the odds of each task, told from an embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

#: How strongly rows of unit length count against the classifier's penalty.
STRENGTH = 10.0
#: Parts that training rows are split into, so that a row's own label is not among its features.
_FOLDS = 5
#: Chances below this make no difference.
_SMALLEST = 1e-3


@dataclass(frozen=True, slots=True)
class Kinds:
    """Tells tasks apart: multinomial logistic regression, `coefficients` `[d, t]`, `intercepts` `[t]`."""

    tasks: tuple[str, ...]
    coefficients: FloatArray
    intercepts: FloatArray

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Return the logarithm of each task's probability, `[n, t]`; nothing where there are not two tasks."""
        scores = features @ self.coefficients + self.intercepts
        if not scores.shape[1]:
            return np.asarray(scores)
        scores = scores - scores.max(axis=1, keepdims=True)
        chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return np.asarray(np.log(chances + _SMALLEST), np.float32)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return its arrays."""
        names = np.array(self.tasks, np.str_)
        return {"tasks": names, "coefficients": self.coefficients, "intercepts": self.intercepts}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Kinds:
        """Return what `state` returned. Raises `KeyError`."""
        numbers = (state[name].astype(np.float32) for name in ("coefficients", "intercepts"))
        return cls(tuple(state["tasks"].tolist()), *numbers)

    @classmethod
    def of(cls, features: FloatArray, tasks: NDArray[np.str_], known: Sequence[str]) -> Kinds:
        """Fit to rows, of which those with an empty task count for nothing; `known` are the tasks of the columns."""
        labelled = np.flatnonzero(tasks != "")
        present = np.unique(tasks[labelled])
        if len(known) < 2 or len(present) < 2:
            width = len(known) if len(known) > 1 else 0
            return cls(tuple(known), np.zeros((features.shape[1], width), np.float32), np.zeros(width, np.float32))
        coefficients, intercepts = separated(features[labelled], tasks[labelled], STRENGTH, steps=200, tolerance=1e-3)
        places = [list(known).index(task) for task in present]
        weights = np.zeros((features.shape[1], len(known)), np.float32)
        constants = np.full(len(known), -np.inf, np.float32)
        weights[:, places], constants[places] = coefficients.T, intercepts
        return cls(tuple(known), weights, np.maximum(constants, -1e6).astype(np.float32))


def separated(
    points: FloatArray, labels: NDArray[np.str_], c: float, *, steps: int, tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit labels `[n]`, of which two differ, at points `[n, d]`, by multinomial logistic regression.

    Return coefficients `[t, d]` and intercepts `[t]`, the labels in order. `c` is how strongly the points count against
    the penalty; the solver ends after so many `steps`, or where the loss is as flat as `tolerance`.
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=c, max_iter=steps, tol=tolerance).fit(points.astype(np.float64), labels)
    if len(fitted.intercept_) > 1:
        return fitted.coef_, fitted.intercept_
    # Two labels share one curve, that of the second.
    coefficients, intercepts = (np.concatenate([np.zeros_like(a), a]) for a in (fitted.coef_, fitted.intercept_))
    return coefficients, intercepts


def out_of_fold(features: FloatArray, tasks: NDArray[np.str_], known: Sequence[str], seed: int) -> FloatArray:
    """Return each row's `log_odds` as told by a classifier that has not seen the row."""
    parts = np.random.default_rng(seed).permutation(len(features)) % _FOLDS
    odds = np.zeros((len(features), len(known) if len(known) > 1 else 0), np.float32)
    for part in range(_FOLDS):
        inside, outside = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        if len(inside):
            odds[inside] = Kinds.of(features[outside], tasks[outside], known).log_odds(features[inside])
    return odds
