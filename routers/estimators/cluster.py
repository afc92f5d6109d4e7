"""Clusters: a model does on a request what it did on requests of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from routers.columns import spread
from routers.estimators.cluster_map import ClusterMap, find_centroids
from routers.estimators.cluster_table import ClusterTable
from routers.estimators.constant import PRIOR
from routers.rows import Rows, rounded_units
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.tally import Column
    from routers.types import Candidate, Context, FloatArray, Outcomes

#: Numbers of clusters that are compared where none is given, and the parts in which rows are left out for it.
SIZES, FOLDS = (4, 8, 16, 32, 64), 4


@dataclass(frozen=True, slots=True)
class _Fit:
    """Rows, their clusters, and each model's `worth` and `errors` there, both `[k + 1, m]`, the last row of none."""

    rows: Rows
    map: ClusterMap
    table: ClusterTable
    worth: Column
    errors: Column

    @classmethod
    def of(cls, rows: Rows, clusters: ClusterMap, table: ClusterTable, shrinkage: float, *, ranking: bool) -> _Fit:
        means, errors = table.means(shrinkage)
        unseen = table.moments[0].sum(axis=0) == 0
        worth = np.where(unseen, PRIOR.mean, 1 / (table.ranks(means) + 1)) if ranking else means
        return cls(rows, clusters, table, worth, errors)

    def predict(self, embeddings: FloatArray) -> tuple[Column, Column]:
        """Return mean and standard error of every model for rows of `[n, d]`; zeros have no cluster."""
        shares = self.map.shares(embeddings)
        none = np.logical_not(embeddings.any(axis=1, keepdims=True)) if len(self.map) else np.ones((len(embeddings), 1))
        shares = np.concatenate([shares * (1 - none), none], axis=1)
        mean = shares @ self.worth
        variance = shares @ (self.errors**2 + self.worth**2) - mean**2
        return mean, np.minimum(np.sqrt(np.maximum(variance, 0)), PRIOR.std)


class Cluster:
    """Estimate a model's reward as its mean in the clusters that a request falls into.

    K-means puts the requests learned into clusters. A model's mean in a cluster of `n` observations is drawn towards
    its mean over all, and a request `x` is shared out among the clusters with the nearest centroids:

        mean_k = (sum of rewards in k + shrinkage * r_model) / (n + shrinkage)
        share_k = softmax of sharpness * cosine(x, centroid_k), among the `nearest`
        mean = sum share_k mean_k        std ** 2 = sum share_k (std_k ** 2 + (mean_k - mean) ** 2)

    With `nearest=1` this is UniRoute with K-means, with more the assignment of Avengers-Pro. One cluster amounts to the
    model's mean, as many as rows to the nearest neighbour. `assignment="learned"` is UniRoute's learned map: directions
    in place of centroids in the softmax, over all clusters, begun at the centroids and fitted by the log loss of the
    mean. `ranking` replaces `mean_k` by `1 / (1 + models better in k)`, the rank aggregation of Avengers-Pro: a score
    from 0 to 1 that is no probability, with all models learned for rivals, whichever are in the pool.

    A request without an embedding gets the model's mean, a model never observed 0.5 with a standard error of 0.5.
    `adopt` takes in a new model by a few hundred probes, and leaves clusters and other models as they are.

    Parameters: `clusters`, how many, or None for the one of 4, 8, 16, 32 and 64 that errs least in cross-validation;
    `nearest`, among how many a request is shared out; `sharpness`, how much nearer ones outweigh farther; `shrinkage`,
    the weight of the model's mean, in observations; `assignment`, "distance" or "learned"; `ranking`, ranks in place of
    rewards; `seed`, of K-means and of the learned map; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> cluster = Cluster(clusters=2, nearest=1, shrinkage=1.0)
    >>> cluster.learn(Outcomes(("small",), np.eye(2, dtype=np.float32), np.array([[1.0], [0.0]]), gap, gap))
    >>> like_the_first = Context("hello", 2, embedding=np.array([1, 0], np.float32))
    >>> cluster.predict([like_the_first], [Candidate("small")]).mean.tolist()
    [[0.75]]

    UniRoute (https://arxiv.org/abs/2502.08773); Avengers-Pro (https://arxiv.org/abs/2508.12631).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(  # noqa: PLR0913  (each argument is an option)
        self,
        clusters: int | None = 32,
        nearest: int = 3,
        sharpness: float = 9.0,
        shrinkage: float = 5.0,
        *,
        assignment: Literal["distance", "learned"] = "distance",
        ranking: bool = False,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        if nearest < 1 or max_rows < 1 or (clusters is not None and clusters < 1):
            raise ValueError(f"clusters={clusters}, nearest={nearest} and max_rows={max_rows} must be at least 1")
        if sharpness < 0 or shrinkage < 0:
            raise ValueError(f"sharpness={sharpness} and shrinkage={shrinkage} must not be negative")
        if assignment not in {"distance", "learned"}:
            raise ValueError(f"assignment={assignment!r} must be 'distance' or 'learned'")
        self.clusters = clusters
        self.nearest = nearest
        self.sharpness = sharpness
        self.shrinkage = shrinkage
        self.assignment = assignment
        self.ranking = ranking
        self.seed = seed
        self.max_rows = max_rows
        self._fit = self._fitted(Rows.empty(), 1)

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        fit, models = self._fit, [candidate.model for candidate in candidates]
        mean, std = (part.astype(np.float32) for part in fit.predict(_embeddings(contexts, fit.rows)))
        known = fit.table.models
        return Estimates(spread(mean, known, models, PRIOR.mean), spread(std, known, models, PRIOR.std))

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and cluster them anew; one without embedding is in none.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        rows = self._fit.rows.append(outcomes, self.max_rows)
        self._fit = self._fitted(rows, self._size(rows) if self.clusters is None else self.clusters)

    def adopt(self, model: str, outcomes: Outcomes) -> None:
        """Take in one model, most often a new one, by probes; nothing else changes.

        What was known of this model before is forgotten. Clusters stay where they are, and so does every estimate of
        another model. The probes are kept for the next `learn`. Raises `ValueError` where `outcomes` has no column of
        the model, or embeddings of another length.
        """
        probes = outcomes.of_models((model,))
        fit, rows = self._fit, self._fit.rows.without(model).append(probes, self.max_rows)
        table = fit.table.adopt(model, probes.rewards, fit.map.labels(rounded_units(probes.embeddings)))
        self._fit = _Fit.of(rows, fit.map, table, self.shrinkage, ranking=self.ranking)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, the clusters, and what was observed in them."""
        clusters, table = self._fit.map, self._fit.table
        return {
            **self._fit.rows.state(),
            "centroids": clusters.centroids,
            "directions": clusters.directions,
            "moments": table.moments,
            "ranked": np.array(table.ranked),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        centroids, directions = (state[name].astype(np.float32) for name in ("centroids", "directions"))
        nearest = len(centroids) if self.assignment == "learned" else self.nearest
        clusters = ClusterMap(centroids, directions, nearest, self.sharpness)
        rows = Rows.restored(state, self.max_rows)
        table = ClusterTable(rows.models, state["moments"].astype(np.float64), int(state["ranked"]))
        self._fit = _Fit.of(rows, clusters, table, self.shrinkage, ranking=self.ranking)

    def _fitted(self, rows: Rows, clusters: int) -> _Fit:
        centroids = find_centroids(rows.embeddings, clusters, self.seed)
        found = ClusterMap.around(centroids, self.nearest, self.sharpness)
        table = ClusterTable.of(rows.models, rows.rewards, found.labels(rows.embeddings), len(found))
        if self.assignment == "learned" and len(found):
            means, _ = table.means(self.shrinkage)
            found = found.learned(rows.embeddings, rows.rewards, means[:-1], self.seed)
        return _Fit.of(rows, found, table, self.shrinkage, ranking=self.ranking)

    def _size(self, rows: Rows) -> int:
        """Return the number of clusters whose estimates err least on rows that they were not fitted to."""
        folds = np.random.default_rng(self.seed).permutation(len(rows)) % FOLDS
        sizes = [size for size in SIZES if size < len(rows)] or [1]
        return min(sizes, key=lambda size: sum(self._error(rows, folds == fold, size) for fold in range(FOLDS)))

    def _error(self, rows: Rows, left_out: NDArray[np.bool_], clusters: int) -> float:
        """Return the squared error on the rows left out, summed."""
        kept = Rows.of(rows.models, rows.embeddings[~left_out], rows.rewards[~left_out])
        mean, _ = self._fitted(kept, clusters).predict(rows.embeddings[left_out])
        return float(np.nansum((mean - rows.rewards[left_out]) ** 2))


def _embeddings(contexts: Sequence[Context], rows: Rows) -> FloatArray:
    """Return the embeddings of requests, `[n, d]`; zeros where there is none, or nothing to compare it with."""
    embeddings = np.zeros((len(contexts), rows.embeddings.shape[1]), np.float32)
    for row, context in enumerate(contexts):
        if context.embedding is not None and len(rows):
            rows.check_length(len(context.embedding))
            embeddings[row] = context.embedding
    return embeddings
