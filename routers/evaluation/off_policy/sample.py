"""The columns that an estimate is made from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]
    Matrix = NDArray[np.float64]
    Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a log says about one policy and one quantity, `n` requests by `m` models.

    `target` `[n, m]` are the probabilities by which the policy would have chosen, `logged` `[n, m]` those by which it
    was chosen: 0 where a model could not be drawn, NaN where nobody wrote it down. `actions` `[n]` were drawn.
    `values` `[n]` is what came of it, NaN where that was not observed. `seen` `[n]` is 0 there, and elsewhere one over
    the probability of being observed. `expected` `[n, m]` is what a model of the rewards expects, of each row by what
    was learned from others. Rows of the same of the `clusters` `[n]` depend on each other.
    """

    target: Matrix
    logged: Matrix
    actions: Indices
    values: Column
    seen: Column
    expected: Matrix
    clusters: Indices

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.actions)

    def take(self, rows: Indices) -> Sample:
        """Return some of the rows."""
        columns = (getattr(self, column.name)[rows] for column in fields(self))
        return Sample(*columns)

    @property
    def ratios(self) -> Matrix:
        """Return how much likelier each choice is under the policy, `[n, m]`; 0 where it could not be drawn."""
        possible = self.logged > 0
        return np.where(possible, self.target / np.where(possible, self.logged, 1.0), 0.0)

    @property
    def weights(self) -> Column:
        """Return the importance of each row, `[n]`: how much likelier its choice is under the policy, if observed."""
        return self.at_actions(self.ratios) * self.seen

    @property
    def observed(self) -> Column:
        """Return the values with 0 where there is none: those rows have no weight."""
        return np.where(self.seen > 0, self.values, 0.0)

    def at_actions(self, matrix: Matrix) -> Column:
        """Return of each row of a matrix `[n, m]` the entry of the choice that was drawn."""
        return matrix[np.arange(self.n), self.actions]
