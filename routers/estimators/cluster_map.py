"""Requests onto clusters: how far each cluster answers for a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.descent import adam, minibatches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.descent import Array, Parameters
    from routers.types import FloatArray

#: Rows that K-means looks at, at most: centroids of more are hardly better.
SAMPLE = 20_000
#: How the map is learned: chosen by cross-validation, for embeddings of unit length.
LEARNING_RATE, WEIGHT_DECAY, EPOCHS, BATCH = 1e-3, 1.0, 20, 256
#: Distance that an estimate keeps from 0 and 1 in the log loss.
MARGIN = 1e-3


@dataclass(frozen=True, slots=True)
class ClusterMap:
    """Where the clusters are, and how a request is shared out among them.

    `centroids` `[k, d]` are unit vectors, whose nearest names the cluster of an observed request; `directions`
    `[k, d]` share out a request by the softmax of `sharpness` times the product, among the `nearest` of them. They
    are the centroids themselves, or what `learned` makes of them.

    >>> two = np.eye(2, dtype=np.float32)
    >>> ClusterMap(two, two, nearest=1, sharpness=9.0).shares(np.array([[0.6, 0.8]])).tolist()
    [[0.0, 1.0]]
    """

    centroids: FloatArray
    directions: FloatArray
    nearest: int
    sharpness: float

    @classmethod
    def around(cls, centroids: FloatArray, nearest: int, sharpness: float) -> ClusterMap:
        """Return the map whose directions are the centroids."""
        return cls(centroids, centroids, nearest, sharpness)

    def __len__(self) -> int:
        return len(self.centroids)

    def labels(self, embeddings: FloatArray) -> NDArray[np.intp]:
        """Return the cluster of each row of `[n, d]`; the number of clusters for a row that has no embedding."""
        if not len(self):
            return np.zeros(len(embeddings), np.intp)
        nearest = products(embeddings, self.centroids).argmax(axis=1)
        return np.where(embeddings.any(axis=1), nearest, len(self))

    def shares(self, embeddings: FloatArray) -> Array:
        """Return how far each cluster answers for each row of `[n, d]`, `[n, k]`: every row sums to one."""
        if not len(self):
            return np.zeros((len(embeddings), 0))
        closeness = products(embeddings, self.directions).astype(np.float64)
        beyond = max(len(self) - self.nearest, 0)
        least = np.partition(closeness, beyond, axis=1)[:, [beyond]]
        return softmax(np.where(closeness >= least, self.sharpness * closeness, -np.inf))

    def learned(self, embeddings: FloatArray, rewards: FloatArray, means: Array, seed: int) -> ClusterMap:
        """Return this map with directions that make the clusters' means tell the rewards.

        `rewards` `[n, m]` may have gaps, `means` is `[k, m]`. Minimises the log loss of `shares @ means` by Adam,
        with weight decay towards the centroids; all clusters answer for a request then.
        """
        start = self.centroids.astype(np.float64)
        rows = np.flatnonzero(embeddings.any(axis=1))
        batches = [rows[batch] for batch in minibatches(len(rows), BATCH, EPOCHS, np.random.default_rng(seed))]

        def gradient(parameters: Parameters, batch: NDArray[np.intp]) -> Parameters:
            vectors = embeddings[batch].astype(np.float64)
            shares = softmax(self.sharpness * (vectors @ (start + parameters["shift"]).T))
            slope = _slope(shares @ means, rewards[batch]) @ means.T
            inner = shares * (slope - (shares * slope).sum(axis=1, keepdims=True))
            return {"shift": self.sharpness * inner.T @ vectors}

        begin = {"shift": np.zeros_like(start)}
        found = adam(begin, gradient, batches, learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        directions = (start + found["shift"]).astype(np.float32)
        return ClusterMap(self.centroids, directions, len(self), self.sharpness)


def find_centroids(embeddings: FloatArray, clusters: int, seed: int) -> FloatArray:
    """Return at most `clusters` unit vectors `[k, d]`, the K-means of the rows that have an embedding."""
    from sklearn.cluster import KMeans

    known = embeddings[embeddings.any(axis=1)]
    if not len(known):
        return known
    if len(known) > SAMPLE:
        known = known[np.sort(np.random.default_rng(seed).choice(len(known), SAMPLE, replace=False))]
    distinct = np.unique(known, axis=0)
    if len(distinct) <= clusters:
        return _units(distinct)
    # In double precision, where rows that differ stay apart: fewer clusters than asked for would be a warning.
    fit = KMeans(clusters, n_init=1, random_state=seed).fit(known.astype(np.float64))
    return _units(fit.cluster_centers_)


def products(embeddings: FloatArray, directions: FloatArray) -> FloatArray:
    """Return the products of `[n, d]` and `[k, d]`, `[n, k]`."""
    # Not `@`: BLAS would start threads for it, which wait for each other longer than one thread works.
    return np.asarray(np.vecdot(embeddings[:, None, :], directions[None]))


def softmax(logits: Array) -> Array:
    """Return the softmax of each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _slope(estimates: Array, rewards: FloatArray) -> Array:
    """Return the slope of the mean log loss of `[n, m]`, zero where nothing was observed."""
    observed = ~np.isnan(rewards)
    inside = np.clip(estimates, MARGIN, 1 - MARGIN)
    slope = (inside - rewards) / (inside * (1 - inside))
    return np.asarray(np.where(observed, slope, 0) / max(int(observed.sum()), 1))


def _units(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
