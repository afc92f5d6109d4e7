"""How to weigh what several estimators say: by what each has proved, on rows that it had not seen, where it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Prices of money at which it is asked who would be chosen: one USD, in units of the dearest model's average cost.
PRICES = np.concatenate([[0.0], np.exp(np.linspace(-7, 2, 40))])
#: What every model counts, shared among them, however seldom it would be chosen.
ATTENTION = 0.1
#: Rows of which the products are summed at once.
_BLOCK = 4096
#: Keeps the normal equations of two members that agree solvable; relative to their scale.
_RIDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Stacking:
    """A weight for each of `k` members, none below zero, by which their deviations from the means are summed.

    The weights fit differences between models, within a request, since only these decide; and `relevance` `[m]` (it
    sums to one) says how often each model would be chosen, over all prices of money: a model that never would be need
    not be predicted well. `products` `[k, k]` and `targets` `[k]` are the sums that the weights follow from.

    Breiman, "Stacked regressions" (https://doi.org/10.1007/BF00117832).
    """

    relevance: Array
    products: Array
    targets: Array

    @classmethod
    def started(cls, members: int, relevance: Array) -> Stacking:
        """Start without rows."""
        return cls(relevance, np.zeros((members, members)), np.zeros(members))

    def plus(self, deviations: Array, rewards: Array) -> Stacking:
        """Add rows: `deviations` `[k, n, m]` and `rewards` `[n, m]` (NaN: not observed), less each model's mean."""
        products, targets = self.products.copy(), self.targets.copy()
        for start in range(0, len(rewards), _BLOCK):
            block = slice(start, start + _BLOCK)
            observed = ~np.isnan(rewards[block])
            weights = self.relevance * observed
            design = np.stack([_contrasts(one, weights).ravel() for one in deviations[:, block]])
            products += design @ design.T
            targets += design @ _contrasts(np.where(observed, rewards[block], 0), weights).ravel()
        return Stacking(self.relevance, products, targets)

    def weights(self) -> Array:
        """Return the weights that fit best, `[k]`; alike where no row tells members apart."""
        from scipy.optimize import nnls

        scale = float(np.trace(self.products))
        if not scale > 0:
            return np.full(len(self.targets), 1 / len(self.targets))
        root = np.linalg.cholesky(self.products + _RIDGE * scale * np.eye(len(self.targets)))
        solved, _ = nnls(root.T, np.linalg.solve(root, self.targets))
        return np.asarray(solved)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return its arrays."""
        return {"relevance": self.relevance, "products": self.products, "targets": self.targets}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Stacking:
        """Return what `state` returned. Raises `KeyError`."""
        arrays = (state[name].astype(np.float64) for name in ("relevance", "products", "targets"))
        return cls(*arrays)


def relevance(rewards: Array, costs_usd: Array) -> Array:
    """Return how often each model is best over all `PRICES`, `[m]`, given rewards expected `[n, m]` and costs `[m]`.

    A cost that is unknown (NaN) counts as the dearest; where none is known, all models count alike.
    """
    models = len(costs_usd)
    if np.isnan(costs_usd).all() or not np.nanmax(costs_usd) > 0:
        return np.full(models, 1 / models)
    dearest = np.nanmax(costs_usd)
    relative = np.where(np.isnan(costs_usd), dearest, costs_usd) / dearest
    chosen = [np.bincount((rewards - price * relative).argmax(axis=1), minlength=models) for price in PRICES]
    share = np.sum(chosen, axis=0) / (len(rewards) * len(PRICES))
    return np.asarray((share + ATTENTION / models) / (1 + ATTENTION))


def _contrasts(values: Array, weights: Array) -> Array:
    """Return `values` `[n, m]` less their weighted mean in each row, scaled so that squares are weighted.

    A row of which one model was observed has no differences: it tells of that model's level.
    """
    total = weights.sum(axis=1, keepdims=True)
    mean = (values * weights).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1)
    several = (weights > 0).sum(axis=1, keepdims=True) > 1
    return np.asarray((values - np.where(several, mean, 0)) * np.sqrt(weights))
