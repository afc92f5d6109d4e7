"""How to weigh what several estimators say: by what each has proved on rows that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Rows of which the products are summed at once.
_BLOCK = 2048
#: Keeps the normal equations of two members that agree solvable; relative to their scale.
_RIDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Stacking:
    """Weights that are never negative, for each member and each pattern in which models differ.

    `patterns` `[m, c]` are orthonormal: the main directions of what the members predicted, of which the first is
    usually how hard a request is, and the others which models it suits. A member may be good at one and not at
    another, and a pattern that nobody can predict gets small weights, which leaves the means. `products`
    `[c * k, c * k]` and `targets` `[c * k]` are the sums that the weights follow from, so that further rows can be
    added to them; `rows` is how many there were.

    Breiman, "Stacked regressions" (https://doi.org/10.1007/BF00117832).
    """

    patterns: Array
    members: int
    products: Array
    targets: Array
    rows: int

    @classmethod
    def started(cls, deviations: Array) -> Stacking:
        """Find the patterns in `deviations` `[k, n, m]`: what each member predicts, less each model's mean."""
        average = deviations.mean(axis=0)
        _, patterns = np.linalg.eigh(average.T @ average)
        members, models = len(deviations), average.shape[1]
        size = members * models
        return cls(patterns[:, ::-1], members, np.zeros((size, size)), np.zeros(size), 0)

    def plus(self, deviations: Array, rewards: Array) -> Stacking:
        """Add rows: `deviations` `[k, n, m]`, and `rewards` `[n, m]` less each model's mean, NaN where not observed."""
        products, targets = self.products.copy(), self.targets.copy()
        for start in range(0, len(rewards), _BLOCK):
            block = slice(start, start + _BLOCK)
            row, model = np.nonzero(~np.isnan(rewards[block]))
            design = self._along(deviations[:, block])[row] * self.patterns[model][:, :, None]
            flat = design.reshape(len(row), -1)
            products += flat.T @ flat
            targets += flat.T @ rewards[block][row, model]
        return Stacking(self.patterns, self.members, products, targets, self.rows + len(rewards))

    def weights(self) -> Array:
        """Return the weights that fit best, `[c, k]`, none below zero."""
        from scipy.optimize import nnls

        size = len(self.targets)
        ridge = _RIDGE * max(float(np.trace(self.products)) / max(size, 1), 1e-12)
        root = np.linalg.cholesky(self.products + ridge * np.eye(size))
        solved, _ = nnls(root.T, np.linalg.solve(root, self.targets), maxiter=100 * max(size, 1))
        return np.asarray(solved).reshape(-1, self.members)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return its arrays."""
        return {
            "patterns": self.patterns,
            "products": self.products,
            "targets": self.targets,
            "sizes": np.array([self.members, self.rows]),
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]]) -> Stacking:
        """Return what `state` returned. Raises `KeyError`."""
        members, rows = state["sizes"].tolist()
        products, targets = state["products"].astype(np.float64), state["targets"].astype(np.float64)
        return cls(state["patterns"].astype(np.float64), members, products, targets, rows)

    def _along(self, deviations: Array) -> Array:
        """Return deviations along the patterns, `[n, c, k]`."""
        return np.moveaxis(deviations @ self.patterns, 0, -1)


def combined(patterns: Array, weights: Array, deviations: Array) -> Array:
    """Return what members together predict beyond the means, `[n, m]`, of `deviations` `[k, n, m]`."""
    along = np.moveaxis(deviations @ patterns, 0, -1)
    return np.asarray((along * weights).sum(axis=-1) @ patterns.T)
