"""What to expect of each model for each request, by what came of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.evaluation.off_policy.features import LENGTHS
from routers.evaluation.off_policy.folds import FOLDS

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Indices, Matrix

#: How strongly the lines are drawn towards none: of all models together, and of each by itself.
SHARED_PENALTY: Final = 20.0
OWN_PENALTY: Final = 100.0
#: What is told of a length says much of a cost.
LENGTH_PENALTY: Final = 5.0
#: Of a model's mean: as if it had been observed once more, with the mean of all.
MEAN_PENALTY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed: `features` `[n, k]`, `actions` and `values` `[n]` (NaN: not observed), `weights` `[n]`."""

    features: Matrix
    actions: Indices
    values: Column
    weights: Column

    def take(self, rows: Indices) -> Observed:
        """Return some of the rows."""
        return Observed(self.features[rows], self.actions[rows], self.values[rows], self.weights[rows])


def cross_fitted(observed: Observed, models: int, folds: Indices) -> Matrix:
    """Return what is expected of each of `models` models, `[n, models]`, of each row by what other parts show.

    A line that all models share, and to that of each model its own, both by ridge regression; a model of which little
    is known is expected to be as the others. What is expected stays within what was observed. NaN where nothing was.
    """
    expected = np.full((len(folds), models), np.nan)
    known = np.isfinite(observed.values) & (observed.weights > 0)
    if not known.any():
        return expected
    scale = float(observed.values[known].std()) or 1.0
    for part in range(FOLDS):
        inside, outside = np.flatnonzero(folds == part), np.flatnonzero((folds != part) & known)
        if len(inside):
            # With a single cluster there is no other part.
            taught = observed.take(outside if len(outside) else np.flatnonzero(known))
            expected[inside] = _predicted(taught, observed.features[inside], models, scale)
    bounds = observed.values[known].min(), observed.values[known].max()
    return np.asarray(np.clip(expected, *bounds), np.float64)


def _predicted(taught: Observed, features: Matrix, models: int, scale: float) -> Matrix:
    """Return what is expected at `features` `[k, d]`, `[k, models]`, in the unit of the values."""
    centre = float(np.average(taught.values, weights=taught.weights))
    rewards = (taught.values - centre) / scale
    ones = (taught.actions[:, None] == np.arange(models)).astype(np.float64)
    shared = _ridge(
        np.column_stack([ones, taught.features]), rewards, taught.weights, _penalties(models, features, SHARED_PENALTY)
    )
    found = shared[:models] + (features @ shared[models:])[:, None]
    rest = rewards - (ones @ shared[:models] + taught.features @ shared[models:])
    for model in np.unique(taught.actions):
        rows = np.flatnonzero(taught.actions == model)
        inputs = np.column_stack([np.ones(len(rows)), taught.features[rows]])
        own = _ridge(inputs, rest[rows], taught.weights[rows], _penalties(1, features, OWN_PENALTY))
        found[:, model] += own[0] + features @ own[1:]
    return centre + scale * found


def _penalties(means: int, features: Matrix, penalty: float) -> Column:
    lengths = [LENGTH_PENALTY] * LENGTHS
    return np.array([MEAN_PENALTY] * means + lengths + [penalty] * (features.shape[1] - LENGTHS))


def _ridge(inputs: Matrix, values: Column, weights: Column, penalties: Column) -> Column:
    gram = inputs.T @ (inputs * weights[:, None]) + np.diag(penalties)
    return np.asarray(np.linalg.solve(gram, inputs.T @ (weights * values)), np.float64)
