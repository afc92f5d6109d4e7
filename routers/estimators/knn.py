"""Nearest neighbours: a model does on a request what it did on those most like it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.estimators.constant import PRIOR
from routers.nearest import Sieve
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
    #: The rows are read once for several requests.
    gains_by_company = True

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
        self._keep(Rows.empty())

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        (memory, sieve), models = self._known, tuple([candidate.model for candidate in candidates])
        prior = _prior(memory.tally, models, len(memory))
        mean, std = np.empty((2, len(contexts), len(models)), np.float32)
        each = memory.nearest_each([context.embedding for context in contexts], self.neighbours, sieve)
        for row, (near, cosines) in enumerate(each):
            rewards = spread(memory.rewards.take(near, axis=0), memory.models, models, np.nan)
            mean[row], std[row] = self._shrunk(self._weights(cosines), rewards.astype(np.float64), prior)
        if prior.unseen is not None:
            mean[:, prior.unseen], std[:, prior.unseen] = PRIOR.mean, PRIOR.std
        return Estimates(mean, std)

    def support(self, context: Context) -> float | None:
        """Return the mean cosine of the neighbours, to explain an estimate; None without neighbours."""
        memory, sieve = self._known
        ((_, cosines),) = memory.nearest_each([context.embedding], self.neighbours, sieve)
        return float(cosines.mean(dtype=np.float64)) if cosines.size else None

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, and drop the oldest beyond `max_rows`.

        A row without an embedding (NaN or zeros) counts towards its models' means and is nobody's
        neighbour. A new model becomes a column. Raises `ValueError` where the embeddings have another
        length than those learned before.
        """
        self._keep(self._known[0].append(outcomes, self.max_rows))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows."""
        return self._known[0].state()

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._keep(Rows.restored(state, self.max_rows))

    def _keep(self, rows: Rows) -> None:
        # Both at once: a reader in another thread sees rows and their own sieve.
        self._known = rows, Sieve.of(rows.embeddings)

    def _weights(self, cosines: FloatArray) -> Vector:
        """Return what neighbours at these cosines weigh; nothing below zero, whatever the power."""
        close = np.maximum(cosines.astype(np.float64), 0)
        return close if self.power == 1 else np.where(close > 0, close**self.power, 0)

    def _shrunk(self, weights: Vector, rewards: Vector, prior: _Prior) -> tuple[Vector, Vector]:
        """Return mean and standard error, both `[m]`, of rewards `[k, m]` drawn towards what is known beforehand."""
        weight, known = weights[:, None], rewards
        if prior.gaps:
            observed = ~np.isnan(rewards)
            weight, known = weight * observed, np.where(observed, rewards, 0)
        evidence = np.add.reduce(weight, 0) + self.shrinkage
        if self.shrinkage:
            safe, rest = evidence, self.shrinkage / evidence
        else:
            safe, rest = np.where(evidence > 0, evidence, 1), np.where(evidence > 0, 0.0, 1.0)
        share = weight / safe  # first: weights may be tiny
        mean = np.add.reduce(share * known, 0) + rest * prior.mean
        variance = np.add.reduce(share * np.square(known - mean), 0) + rest * prior.variance
        return mean, np.sqrt(variance / np.maximum(evidence, 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Prior:
    """What is known of models beforehand: means and variances over all rows, and who is in none (None: nobody).

    `gaps` tells whether one of them is not in all rows.
    """

    mean: Vector
    variance: Vector
    unseen: NDArray[np.bool_] | None
    gaps: bool


@lru_cache(maxsize=1024)
def _prior(tally: Tally, models: tuple[str, ...], rows: int) -> _Prior:
    """Return what is known of some models by so many rows. A gateway asks for the same few pools over and over."""
    ours = tally.of_models(models)
    unseen = ours.count == 0
    gaps = bool((ours.count < rows).any())
    return _Prior(ours.mean, ours.variance, unseen if unseen.any() else None, gaps)
