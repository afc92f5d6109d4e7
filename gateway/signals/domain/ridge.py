"""Kernel ridge regression in closed form, and what it says of rows that it was not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

    Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """A fit to rows `[n, d]` under the kernel exp(sharpness (x.z - 1)).

    `weights` is `[n, k]` (a column a class) and `inverse` `[n, n]` that of the kernel matrix plus `noise` `[n]`
    on its diagonal. Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, chapter 2.
    """

    rows: FloatArray
    weights: FloatArray
    inverse: FloatArray
    noise: FloatArray
    sharpness: float

    @classmethod
    def fit(cls, rows: FloatArray, targets: Matrix, noise: Matrix, sharpness: float) -> Ridge:
        """Fit targets `[n, k]`, of which row i may be wrong with variance `noise[i]`."""
        exact = rows.astype(np.float64)
        inverse = np.linalg.inv(np.exp(sharpness * (exact @ exact.T - 1)) + np.diag(noise))
        single = np.float32
        weights = (inverse @ targets).astype(single)
        return cls(rows, weights, inverse.astype(single), noise.astype(single), sharpness)

    def kernel(self, queries: FloatArray) -> FloatArray:
        """Return the kernel `[m, n]` of queries `[m, d]` and the rows."""
        return np.asarray(np.exp(self.sharpness * (queries @ self.rows.T - 1)), np.float32)

    def predict(self, queries: FloatArray) -> FloatArray:
        """Return what it expects of queries, `[m, k]`."""
        return np.asarray(self.kernel(queries) @ self.weights)

    def variance(self, queries: FloatArray) -> FloatArray:
        """Return how little it knows of queries, `[m]`: near 0 where rows lie, near 1 far from all of them."""
        kernel = self.kernel(queries)
        return np.asarray(1 - np.einsum("mn,mn->m", kernel @ self.inverse, kernel))

    def held_out(self, targets: Matrix, groups: Sequence[Sequence[int]]) -> Matrix:
        """Return what it would expect of the first row of each group, had none of the group been shown.

        Ibid., section 5.4.2, for several rows at a time.
        """
        found = np.empty((len(groups), targets.shape[1]))
        for place, group in enumerate(groups):
            block = self.inverse[np.ix_(group, group)].astype(np.float64)
            found[place] = (targets[list(group)] - np.linalg.solve(block, self.weights[list(group)]))[0]
        return found

    def held_out_variance(self) -> Matrix:
        """Return how little it would know of each row, had that row not been shown, `[n]`."""
        return np.asarray(1 / np.diag(self.inverse).astype(np.float64) - self.noise)
