"""Contrastive: requests are put near the models that are good at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.contrast import Choices, Contrasts, contrast, unit
from routers.descent import adam, minibatches
from routers.parts import below, prefixed
from routers.readout import Readout, Seen, held_out, slope_of, stacked
from routers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.descent import Array, Parameters
    from routers.types import Candidate, Context, Estimates, FloatArray, Outcomes

#: Rows in one step of the descent.
BATCH = 64


@dataclass(frozen=True, slots=True)
class _Learned:
    """The rows, and what was fitted to them. `projection` is `[q, d]`."""

    rows: Rows
    projection: Array
    readout: Readout


class Contrastive:
    """Estimate a model's reward from the cosine of its vector and the request's, both learned by contrast.

    A request's vector is its embedding, projected to `dimension` numbers; each model has one. Descent brings
    each of the best models of a row (the `positives` highest rewards, above zero) nearer to it than the worst
    (the `negatives` lowest, at most 0.5 and below the positive's): with s = cosine / temperature,

        loss = - sum over positives of log(exp(s+) / (exp(s+) + sum over negatives of exp(s-)))

    so that two models that are both good are not forced apart. To this is added, `cluster_weight` times, the
    same with rows in the models' place: rows are clustered by k-means of their embeddings, and each is to be
    nearer to one of its cluster than to three of others. The encoder itself stays as it is, where RouterDC
    trains it.

    Platt scaling makes a reward of a score, `sigmoid(slope * (s - mean s) + intercept)`, with one slope for all
    models and an intercept for each. The slope is found on a fifth of the rows, with a descent that has not seen
    them; the intercepts on all rows. What contrasts never tell is how hard a request is for all models alike:
    this estimator tells models apart. The standard error is that of a logistic regression on the request's
    vector. A request without an embedding gets the model's mean; a model never observed gets 0.5 with a standard
    error of 0.5. Everything is fitted again whenever something is learned.

    Parameters: `dimension`, the length of the vectors; `temperature`, which cosines are divided by;
    `positives` and `negatives`, models contrasted on a row; `clusters` and `cluster_weight`, of the contrast
    between rows; `epochs`, how often each row is gone through; `learning_rate`, of the descent (Adam); `seed`,
    of what is drawn; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> embeddings = np.tile(np.eye(2, dtype=np.float32), (50, 1))
    >>> gap = np.full((100, 2), np.nan, np.float32)
    >>> contrastive = Contrastive(dimension=4, epochs=50, learning_rate=0.02, clusters=2)
    >>> contrastive.learn(Outcomes(("poet", "coder"), embeddings, embeddings, gap, gap))
    >>> verse = Context("a sonnet", 2, embedding=np.array([1, 0], np.float32))
    >>> poet, coder = contrastive.predict([verse], [Candidate("poet"), Candidate("coder")]).mean[0].tolist()
    >>> poet > 0.8 > 0.2 > coder
    True

    RouterDC (https://arxiv.org/abs/2409.19886).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(  # noqa: PLR0913 - a constructor's arguments are the configuration
        self,
        dimension: int = 64,
        temperature: float = 0.2,
        *,
        positives: int = 3,
        negatives: int = 3,
        clusters: int = 8,
        cluster_weight: float = 1.0,
        epochs: int = 5,
        learning_rate: float = 0.003,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        counts = {
            "dimension": dimension,
            "positives": positives,
            "negatives": negatives,
            "clusters": clusters,
            "epochs": epochs,
            "max_rows": max_rows,
        }
        if small := [f"{name}={count}" for name, count in counts.items() if count < 1]:
            raise ValueError(f"{', '.join(small)} must be at least 1")
        if temperature <= 0 or learning_rate <= 0 or cluster_weight < 0:
            raise ValueError(
                f"temperature={temperature} and learning_rate={learning_rate} must be positive, "
                f"cluster_weight={cluster_weight} must not be negative"
            )
        self.dimension = dimension
        self.temperature = temperature
        self.positives = positives
        self.negatives = negatives
        self.clusters = clusters
        self.cluster_weight = cluster_weight
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.seed = seed
        self.max_rows = max_rows
        self._learned = self._fitted(Rows.empty())

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        learned = self._learned
        embeddings, usable = stacked(contexts, learned.projection.shape[1])
        features = unit(np.vecdot(embeddings[:, None, :], learned.projection))
        return learned.readout.estimates(features, usable, [candidate.model for candidate in candidates])

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and fit again.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        self._learned = self._fitted(self._learned.rows.append(outcomes, self.max_rows))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, and what was fitted to them."""
        learned = self._learned
        readout = prefixed("readout", learned.readout.state())
        return {**learned.rows.state(), **readout, "projection": learned.projection}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        rows, projection = Rows.restored(state, self.max_rows), state["projection"].astype(np.float64)
        self._learned = _Learned(rows, projection, Readout.restored(below("readout", state), rows.tally))

    def _fitted(self, rows: Rows) -> _Learned:
        usable = rows.embeddings.any(axis=1)
        embeddings, rewards = rows.embeddings[usable], rows.rewards[usable]
        choices = Choices.of_models(rewards, self.positives, self.negatives)
        if not choices.right.any():
            return _Learned(rows, np.zeros((0, rows.embeddings.shape[1])), Readout.empty(rows.tally))
        clusters = _clusters(embeddings, self.clusters, self.seed)
        held = held_out(len(embeddings))
        shown = np.flatnonzero(~held)
        slope = 0.0
        if choices.right[shown].any():
            projection, vectors = self._descended(embeddings[shown], choices.take(shown), clusters[shown])
            slope = slope_of(unit(embeddings[held] @ projection.T), vectors, rewards[held])
        projection, vectors = self._descended(embeddings, choices, clusters)
        seen = Seen.of_rewards(unit(embeddings @ projection.T), rewards)
        return _Learned(rows, projection, Readout.fit(vectors, seen, rows.tally, slope))

    def _descended(self, embeddings: FloatArray, choices: Choices, clusters: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return the projection, and the models' vectors divided by the temperature."""
        rng = np.random.default_rng(self.seed)
        start = {
            "projection": rng.standard_normal((self.dimension, embeddings.shape[1])) / np.sqrt(embeddings.shape[1]),
            "models": rng.standard_normal((choices.right.shape[2], self.dimension)) / np.sqrt(self.dimension),
        }

        def gradient(parameters: Parameters, rows: NDArray[np.intp]) -> Parameters:
            mates = Choices.of_clusters(clusters[rows], rng)
            batch = Contrasts(embeddings[rows], choices.take(rows), mates, self.temperature, self.cluster_weight)
            return contrast(parameters, batch)[1]

        batches = minibatches(len(embeddings), BATCH, self.epochs, rng)
        found = adam(start, gradient, batches, learning_rate=self.learning_rate)
        return found["projection"], unit(found["models"]) / self.temperature


def _clusters(embeddings: FloatArray, count: int, seed: int) -> NDArray[np.intp]:
    """Return the cluster of each row; there are fewer than `count` where fewer rows differ."""
    from sklearn.cluster import KMeans

    different = len(np.unique(embeddings, axis=0))
    means = KMeans(min(count, different), n_init=1, random_state=seed)
    return np.asarray(means.fit_predict(embeddings), np.intp)
