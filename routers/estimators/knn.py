"""Nearest neighbours: a model does on a request what it did on those most like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.estimators.constant import PRIOR
from routers.rows import Rows
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.tally import Tally
    from routers.types import Candidate, Context, FloatArray, Outcomes

    Vector = NDArray[np.float64]


class KNN:
    """Estimate a model's reward as the weighted mean of its rewards for the nearest requests.

    One set of the k nearest rows is taken for all models; a row where a model was not observed weighs
    nothing for that model. (Each model's own k nearest would need a search per model; a model rarely
    observed is instead drawn towards its mean.) Weights are `max(cosine, 0) ** power`, and

        mean = (sum w r + shrinkage * r_model) / (sum w + shrinkage)

    where `r_model` is the model's mean over all rows; the standard error takes a neighbour of weight w
    for w observations. A request without an embedding has no neighbours, which leaves the model's mean;
    a model never observed gets 0.5 with a standard error of 0.5.

    Rows are kept as unit vectors rounded to half precision, so that what is loaded is exactly what was
    saved. Search is exact and takes time in proportion to the rows; `learn` copies them.

    Parameters: `neighbours`, how many rows; `shrinkage`, the weight of the model's mean, in
    observations; `power`, how much nearer rows outweigh farther ones; `max_rows`, after which the oldest
    are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> knn = KNN(neighbours=1, shrinkage=1.0)
    >>> knn.learn(Outcomes(("small",), np.eye(2, dtype=np.float32), np.array([[1.0], [0.0]]), gap, gap))
    >>> like_the_first = Context("hello", 2, embedding=np.array([1, 0], np.float32))
    >>> knn.predict([like_the_first], [Candidate("small")]).mean.tolist()
    [[0.75]]

    RouterBench (https://arxiv.org/abs/2403.12031); "When Simple kNN Beats Complex Learned Routers"
    (https://arxiv.org/abs/2505.12601).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(
        self, neighbours: int = 40, shrinkage: float = 5.0, power: float = 1.0, max_rows: int = 100_000
    ) -> None:
        if neighbours < 1 or max_rows < 1:
            raise ValueError(f"neighbours={neighbours} and max_rows={max_rows} must be at least 1")
        if shrinkage < 0 or power < 0:
            raise ValueError(f"shrinkage={shrinkage} and power={power} must not be negative")
        self.neighbours = neighbours
        self.shrinkage = shrinkage
        self.power = power
        self.max_rows = max_rows
        self._memory = Rows.empty()

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        memory, models = self._memory, [candidate.model for candidate in candidates]
        tally = memory.tally.of_models(models)
        shape = (len(contexts), len(models))
        mean, std = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for row, context in enumerate(contexts):
            near, cosines = memory.nearest(context.embedding, self.neighbours)
            rewards = spread(memory.rewards[near], memory.models, models, np.nan)
            mean[row], std[row] = self._shrunk(self._weights(cosines), rewards.astype(np.float64), tally)
        unseen = tally.count == 0
        mean[:, unseen], std[:, unseen] = PRIOR.mean, PRIOR.std
        return Estimates(mean, std)

    def support(self, context: Context) -> float | None:
        """Return the mean cosine of the neighbours, to explain an estimate; None without neighbours."""
        _, cosines = self._memory.nearest(context.embedding, self.neighbours)
        return float(cosines.mean(dtype=np.float64)) if cosines.size else None

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, and drop the oldest beyond `max_rows`.

        A row without an embedding (NaN or zeros) counts towards its models' means and is nobody's
        neighbour. A new model becomes a column. Raises `ValueError` where the embeddings have another
        length than those learned before.
        """
        self._memory = self._memory.append(outcomes, self.max_rows)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows."""
        return self._memory.state()

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._memory = Rows.restored(state, self.max_rows)

    def _weights(self, cosines: FloatArray) -> Vector:
        """Return what neighbours at these cosines weigh; nothing below zero, whatever the power."""
        close = cosines.astype(np.float64)
        return np.where(close > 0, np.maximum(close, 0) ** self.power, 0)

    def _shrunk(self, weights: Vector, rewards: Vector, tally: Tally) -> tuple[Vector, Vector]:
        """Return mean and standard error, both `[m]`, of rewards `[k, m]` drawn towards the tally's."""
        observed = ~np.isnan(rewards)
        weight = weights[:, None] * observed
        known = np.where(observed, rewards, 0)
        evidence = weight.sum(axis=0) + self.shrinkage
        safe = np.where(evidence > 0, evidence, 1)
        share, rest = weight / safe, np.where(evidence > 0, self.shrinkage / safe, 1)  # first: weights may be tiny
        mean = (share * known).sum(axis=0) + rest * tally.mean
        variance = (share * (known - mean) ** 2).sum(axis=0) + rest * tally.variance
        return mean, np.sqrt(variance / np.maximum(evidence, 1))
