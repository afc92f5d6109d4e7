"""What is believed of models' rewards in groups of requests: Beta posteriors, each drawn to what it is a part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.cells import Cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.cells import Column
    from routers.types import FloatArray

#: What is counted: how many rewards (by their weights), and their sum.
WIDTH: Final = 2
#: A model's mean is drawn to that of all models by so many imagined rewards: one good, one bad, where nothing is known.
IMAGINED: Final = 2.0


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Counts and sums of rewards by model and group: `cells`, and what they come to over all groups.

    A model's mean has a Beta posterior whose prior is the mean of all models; that of a model in a group has the
    model's mean for a prior, which counts for `shrinkage` rewards. Rewards between 0 and 1 count as so much of a
    success.

    >>> beliefs = Beliefs.of(Cells.of(["a"] * 2, ["x", "x"], np.array([[1.0, 1.0], [1.0, 1.0]])), shrinkage=5.0)
    >>> mean, std = beliefs.about(["a", "new"], "x")
    >>> mean.round(3).tolist(), std.round(3).tolist()
    ([0.94, 0.833], [0.122, 0.264])

    Gelman et al., "Bayesian Data Analysis", chapter 5, with the upper levels' parameters at their means.
    """

    cells: Cells
    models: Cells
    mean: float
    shrinkage: float

    @classmethod
    def of(cls, cells: Cells, shrinkage: float) -> Beliefs:
        """Return what is believed after these counts and sums."""
        models = cells.together()
        count, total = np.sum([*models.known.values(), np.zeros(WIDTH)], axis=0)
        return cls(cells, models, float((total + 0.5) / (count + 1)), shrinkage)

    @property
    def observed(self) -> float:
        """Return how many rewards were observed, by their weights."""
        return float(sum(numbers[0] for numbers in self.models.known.values()))

    def about(self, models: Sequence[str], group: str | None) -> tuple[Column, Column]:
        """Return the means and standard deviations of models in a group, both `[m]`; of None: in general."""
        count, total = self.models.at(models, "", WIDTH)
        mean = (total + IMAGINED * self.mean) / (count + IMAGINED)
        variance = _beta_variance(mean, count + IMAGINED)
        if group is None:
            return mean, np.sqrt(variance)
        count, total = self.cells.at(models, group, WIDTH)
        evidence = count + self.shrinkage
        drawn = self.shrinkage / evidence
        within = (total + self.shrinkage * mean) / evidence
        return within, np.sqrt(_beta_variance(within, evidence) + drawn**2 * variance)

    def each(self, models: Sequence[str], groups: Sequence[str | None]) -> tuple[FloatArray, FloatArray]:
        """Return the means and standard deviations for requests of these groups, both `[n, m]`."""
        found = {group: self.about(models, group) for group in set(groups)}
        shape = len(groups), len(models)
        both = (np.array([found[group][part] for group in groups], np.float32).reshape(shape) for part in (0, 1))
        mean, std = both
        return mean, std


def counted(rewards: Column, weights: Column) -> tuple[Column, NDArray[np.intp]]:
    """Return counts and sums of rewards `[n]`, `[k, 2]`, and the rows that they are of: those with a reward."""
    rows = np.flatnonzero(~np.isnan(rewards) & (weights > 0))
    weight = weights[rows]
    return np.stack([weight, weight * np.clip(rewards[rows], 0, 1)], axis=1), rows


def table_cells(models: Sequence[str], rewards: FloatArray, groups: Sequence[str]) -> Cells:
    """Return the counts and sums of a table: `rewards` `[n, m]` (NaN: not observed), row `i` in group `groups[i]`."""
    rows, columns = np.nonzero(~np.isnan(rewards))
    values = np.clip(rewards[rows, columns].astype(np.float64), 0, 1)
    numbers = np.stack([np.ones_like(values), values], axis=1)
    return Cells.of([models[column] for column in columns.tolist()], [groups[row] for row in rows.tolist()], numbers)


def _beta_variance(mean: Column, evidence: Column) -> Column:
    return np.asarray(mean * (1 - mean) / (evidence + 1))
