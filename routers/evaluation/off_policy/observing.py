"""How likely it was that what came of a request would be observed: few answers are rated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from routers.evaluation.off_policy.folds import FOLDS

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Indices, Matrix

#: No chance counts as less: a single rating is not worth more than a hundred requests.
LEAST: Final = 0.01
#: How strongly the slopes are drawn towards none, and what a model's own share is drawn towards the others'.
PENALTY: Final = 10.0
MODEL_PENALTY: Final = 0.1
#: Steps of Newton's method; it is there after five or six.
STEPS: Final = 10


def chances(features: Matrix, actions: Indices, seen: Column, folds: Indices) -> Column:
    """Return the expected `seen` in (0, 1] of each row, `[n]`, by what other parts show.

    `seen` is whether a value was observed, or how far it is trusted: so much of it counts as observed. It is a logistic
    regression on the model and `features` `[n, k]`: whether an answer is rated may depend on both, and must not depend
    on how good it was beyond what they tell ("missing at random", Rubin 1976).
    """
    if np.all(seen == 1):
        return np.ones_like(seen)
    models = int(actions.max(initial=0)) + 1
    ones = (actions[:, None] == np.arange(models)).astype(np.float64)
    inputs = np.column_stack([np.ones(len(seen)), ones, features])
    penalties = np.array([1e-3] + [MODEL_PENALTY] * models + [PENALTY] * features.shape[1])
    found = np.empty_like(seen)
    for part in range(FOLDS):
        inside, outside = np.flatnonzero(folds == part), np.flatnonzero(folds != part)
        taught = outside if len(outside) else inside
        found[inside] = _sigmoid(inputs[inside] @ _logistic(inputs[taught], seen[taught], penalties))
    return np.clip(found, LEAST, 1.0)


def seen_weights(observed: Column, chance: Column) -> Column:
    """Return what an observed row counts for, `[n]`: one over its chance; `observed` in [0, 1] is how far it is one."""
    return np.where(observed > 0, observed / chance, 0.0)


def _logistic(inputs: Matrix, outputs: Column, penalties: Column) -> Column:
    """Return the coefficients of a penalised logistic regression, by Newton's method."""
    share = np.clip(outputs.mean(), LEAST, 1 - LEAST)
    found = np.zeros(inputs.shape[1])
    found[0] = np.log(share / (1 - share))
    for _ in range(STEPS):
        chance = _sigmoid(inputs @ found)
        slope = inputs.T @ (outputs - chance) - penalties * (found - _start(found, share))
        curve = inputs.T @ (inputs * (chance * (1 - chance))[:, None]) + np.diag(penalties)
        found = found + np.linalg.solve(curve, slope)
    return found


def _start(found: Column, share: float) -> Column:
    """Return what the penalty draws towards: the share of all rows."""
    start = np.zeros_like(found)
    start[0] = np.log(share / (1 - share))
    return start


def _sigmoid(values: Column) -> Column:
    found: Column = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return found
