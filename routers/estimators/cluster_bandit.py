"""What models earned in each cluster of requests, counted as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from routers.beliefs import Beliefs, counted, table_cells
from routers.cells import spans_summed
from routers.estimators.cluster_map import ClusterMap, find_centroids
from routers.fading import HALF_LIFE_S
from routers.groups import ANY
from routers.rows import check_length, usable
from routers.taught import Taught
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Candidate, Context, FloatArray, Outcomes


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the clusters are, and what tells them from those of other centroids."""

    map: ClusterMap
    digest: str

    @classmethod
    def at(cls, centroids: FloatArray) -> _Places:
        digest = blake2b(centroids.tobytes(), digest_size=4).hexdigest()
        return cls(ClusterMap.around(centroids, nearest=1, sharpness=1.0), digest)

    def group(self, embedding: FloatArray) -> str:
        check_length(len(embedding), self.map.centroids.shape[1])
        (label,) = self.map.labels(embedding.astype(np.float32)[None])
        return f"{self.digest}:{label}"


class ClusterBandit(Taught):
    """Estimate a model's reward by those that it earned in the request's cluster.

    The clusters are fixed before anything is learned online, so that what is counted in them adds up: they are the
    K-means of the first table that is learned, or where there is none directions drawn from `seed`. In each, a model's
    mean has a Beta posterior, drawn to the model's overall, and that to all models'; estimates are its mean and
    standard deviation, so that a rule `thompson` draws from (a normal distribution like) it. A request without an
    embedding is expected to earn the model's mean.

    A table does not fade, but counts for at most `table_rows` observations of each model. Counts made under other
    centroids are left aside: they are of other clusters.

    Parameters: `clusters`; `shrinkage`, what the model's mean counts for in each, in observations; `half_life_s`, after
    which an observation counts half; `table_rows`; `seed`.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((4, 1), np.nan, np.float32)
    >>> embeddings = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    >>> bandit = ClusterBandit(clusters=2, shrinkage=1.0)
    >>> bandit.learn(Outcomes(("a",), embeddings, np.array([[1.0], [1.0], [0.0], [0.0]], np.float32), gap, gap))
    >>> asked = [Context("", 1, embedding) for embedding in embeddings[1:3]]
    >>> bandit.predict(asked, [Candidate("a")]).mean.round(2).tolist()
    [[0.8299999833106995], [0.17000000178813934]]

    Chapelle and Li, "An Empirical Evaluation of Thompson Sampling" (NIPS 2011); the clusters are those of UniRoute
    (https://arxiv.org/abs/2502.08773).
    """

    part = "clusters"
    requires: frozenset[str] = frozenset({"embedding"})
    #: The first table says where the clusters are.
    learns_in_batches = True

    def __init__(
        self,
        clusters: int = 16,
        shrinkage: float = 10.0,
        half_life_s: float = HALF_LIFE_S,
        table_rows: float = 1000.0,
        *,
        seed: int = 0,
    ) -> None:
        if clusters < 1:
            raise ValueError(f"clusters={clusters} must be at least 1")
        if not shrinkage > 0:
            raise ValueError(f"shrinkage={shrinkage} must be positive")
        self.clusters = clusters
        self.shrinkage = shrinkage
        self.seed = seed
        self._places: _Places | None = None
        super().__init__(half_life_s, table_rows)

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Return what every model earned in the cluster of each context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        groups = [self._group(context.embedding) for context in contexts]
        return Estimates(*self._beliefs.each([candidate.model for candidate in candidates], groups))

    def learn(self, outcomes: Outcomes) -> None:
        """Add a table's rewards to the counts of their clusters; the first one with embeddings says where these are.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        if self._places is None:
            known = np.nan_to_num(outcomes.embeddings.astype(np.float32))
            self._place(find_centroids(known, self.clusters, self.seed))
        groups = [self._group(context.embedding) or ANY for context in outcomes.contexts()]
        self._keep(self._table + table_cells(outcomes.models, outcomes.rewards, groups), self._online)

    def sums(self, observations: Observations) -> Sums:
        """Return the counts and sums of the rewards; a row without a reward adds nothing."""
        numbers, rows = counted(observations.rewards, observations.weights)
        groups = [self._group(observations.contexts[row].embedding) or ANY for row in rows.tolist()]
        models = [observations.actions[row] for row in rows.tolist()]
        return spans_summed(self.part, self._fading, (models, groups, observations.times[rows]), numbers)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the centroids, and what was counted: of tables, and online."""
        centroids = np.zeros((0, 0), np.float32) if self._places is None else self._places.map.centroids
        return {"centroids": centroids, **super().state()}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._place(state["centroids"].astype(np.float32))
        super().restore(state)

    def _learned(self) -> None:
        self._beliefs = Beliefs.of(self._table.at_most(self.table_rows) + self._online, self.shrinkage)

    def _place(self, centroids: FloatArray) -> None:
        self._places = _Places.at(centroids) if len(centroids) else None

    def _group(self, embedding: FloatArray | None) -> str | None:
        """Return the name of an embedding's cluster; None without one."""
        if not usable(embedding):
            return None
        places = self._places or _drawn(self.clusters, len(embedding), self.seed)
        return places.group(embedding)


@lru_cache(maxsize=8)
def _drawn(clusters: int, dimension: int, seed: int) -> _Places:
    """Return clusters in any direction."""
    directions = np.random.default_rng(seed).standard_normal((clusters, dimension))
    return _Places.at((directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32))
