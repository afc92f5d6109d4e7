"""What was observed of each model in each cluster, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread, union
from routers.estimators.constant import PRIOR
from routers.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.tally import Column
    from routers.types import FloatArray


@dataclass(frozen=True, slots=True)
class ClusterTable:
    """Count, sum and sum of squares of the rewards by cluster and model, `moments` `[3, k + 1, m]`.

    The last row is of requests without a cluster. The first `ranked` models are those that ranks count.

    >>> rewards = np.array([[1.0], [0.0], [0.5]], np.float32)
    >>> table = ClusterTable.of(("a",), rewards, np.array([0, 1, 1]), clusters=2)
    >>> table.means(shrinkage=0)[0].tolist()
    [[1.0], [0.25], [0.5]]
    """

    models: tuple[str, ...]
    moments: Column
    ranked: int

    @classmethod
    def of(cls, models: tuple[str, ...], rewards: FloatArray, labels: NDArray[np.intp], clusters: int) -> ClusterTable:
        """Count rewards `[n, m]` by their clusters `[n]`, where `clusters` stands for none."""
        observed = ~np.isnan(rewards)
        known = np.where(observed, rewards, 0).astype(np.float64)
        moments = np.zeros((3, clusters + 1, len(models)))
        for moment, values in zip(moments, (observed, known, known**2), strict=True):
            np.add.at(moment, labels, values)
        return cls(models, moments, len(models))

    def adopt(self, model: str, rewards: FloatArray, labels: NDArray[np.intp]) -> ClusterTable:
        """Return this table with rewards `[n, 1]` of one model in place of what it had, and nothing else changed."""
        probes = ClusterTable.of((model,), rewards, labels, self.moments.shape[1] - 1)
        models = union(self.models, (model,))
        moments = spread(self.moments, self.models, models, 0.0)
        moments[:, :, models.index(model)] = probes.moments[:, :, 0]
        return ClusterTable(models, moments, self.ranked)

    def means(self, shrinkage: float) -> tuple[Column, Column]:
        """Return the means and their standard errors, both `[k + 1, m]`; the last row is of all requests.

        A cluster's mean is drawn to the model's, which counts for `shrinkage` observations; so does the error, to
        which the error of the model's mean is added as far as it was drawn there.
        """
        tally = Tally(self.models, self.moments.sum(axis=1))
        overall = tally.variance / np.maximum(tally.count, 1)
        count, total, squares = self.moments[:, :-1]
        evidence = count + shrinkage
        some, safe = evidence > 0, np.where(evidence > 0, evidence, 1)
        mean = np.where(some, (total + shrinkage * tally.mean) / safe, tally.mean)
        deviations = np.maximum(squares - 2 * mean * total + count * mean**2, 0)
        variance = (deviations + (shrinkage + 1) * tally.variance) / (evidence + 1)
        drawn = np.where(some, shrinkage / safe, 1)
        error = np.sqrt(variance / np.maximum(evidence, 1) + drawn**2 * overall)
        means = np.concatenate([mean, tally.mean[None]])
        errors = np.concatenate([np.minimum(error, PRIOR.std), np.sqrt(overall)[None]])
        unseen = tally.count == 0
        return np.where(unseen, PRIOR.mean, means), np.where(unseen, PRIOR.std, errors)

    def ranks(self, means: Column) -> Column:
        """Return for each cluster and model how many of the ranked models are better by `means` `[k + 1, m]`."""
        observed = self.moments[0].sum(axis=0)[: self.ranked] > 0
        rivals = means[:, : self.ranked][:, observed]
        return np.asarray((rivals[:, None, :] > means[:, :, None]).sum(axis=2), np.float64)
