"""Smoothing of outcomes over a graph of requests, tasks and models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from routers.types import FloatArray

    Array = NDArray[np.float64]

#: Rows whose products with all others are held at once.
BLOCK = 512


@dataclass(frozen=True, slots=True)
class ProfileGraph:
    """Links among `n` requests and their tasks, and among `m` models.

    `requests` `[n + t, n + t]` is symmetrically normalised, requests first, then tasks; `models` is `[m, m]`.
    """

    requests: csr_array
    models: Array

    def propagate(self, profiles: Array, hops: int, retain: float) -> Array:
        """Return profiles `[n, m]` after so many hops, each of which keeps a share `retain` of those given.

        Tasks have no profile but what reaches them.
        """
        tasks = self.requests.shape[0] - len(profiles)
        start = np.concatenate([profiles, np.zeros((tasks, profiles.shape[1]))])
        current = start
        for _ in range(hops):
            current = retain * start + (1 - retain) * (self.requests @ current @ self.models)
        return np.asarray(current[: len(profiles)])


def link_requests(embeddings: FloatArray, tasks: Sequence[str], neighbours: int, task_weight: float) -> csr_array:
    """Return the links of requests to their nearest, by cosine, and to their tasks, by `task_weight`.

    Requests are linked where either is among the other's `neighbours`. Embeddings `[n, d]` are unit vectors, or zeros
    for none; a task of "" is not known.
    """
    from scipy import sparse

    n = len(embeddings)
    rows, columns, weights = _nearest(embeddings, neighbours)
    directed = sparse.csr_array((weights, (rows, columns)), shape=(n, n))
    names = sorted(set(tasks) - {""}) if task_weight else []
    place = {name: number for number, name in enumerate(names)}
    told = [row for row, task in enumerate(tasks) if task in place]
    ends = (np.array(told, np.intp), np.array([place[tasks[row]] for row in told], np.intp))
    membership = sparse.csr_array((np.full(len(told), task_weight), ends), shape=(n, len(names)))
    links = sparse.block_array([[directed.maximum(directed.T), membership], [membership.T, None]], format="csr")
    return _normalised(links)


def link_models(deviations: Array, observed: Array, model_weight: float, shrinkage: float) -> Array:
    """Return how far models learn from each other, `[m, m]`, symmetrically normalised, each from itself most.

    Two models are linked by `model_weight` times the correlation of their rewards' deviations `[n, m]` (zero where not
    observed) over the requests observed of both, drawn to zero by `shrinkage` observations; one below zero counts as
    none.
    """
    both = observed.T @ observed
    lengths = (deviations**2).T @ observed
    product = np.sqrt(lengths * lengths.T)
    correlation = (deviations.T @ deviations) / np.where(product > 0, product, 1)
    trust = both / np.where(both + shrinkage > 0, both + shrinkage, 1)
    links = model_weight * np.maximum(correlation, 0) * trust
    np.fill_diagonal(links, 1)
    degrees = np.sqrt(links.sum(axis=0))
    return np.asarray(links / degrees / degrees[:, None])


def _nearest(embeddings: FloatArray, neighbours: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Return rows, the columns of their nearest other rows, and the cosines, all of one length; cosines above zero."""
    count = min(neighbours, max(len(embeddings) - 1, 0))
    found = [_nearest_of(embeddings, start, count) for start in range(0, len(embeddings), BLOCK)]
    columns = np.concatenate([part for part, _ in found]) if found else np.zeros((0, 0), np.intp)
    cosines = np.concatenate([part for _, part in found]) if found else np.zeros((0, 0))
    rows = np.broadcast_to(np.arange(len(embeddings))[:, None], columns.shape)
    kept = cosines > 0
    return rows[kept], columns[kept], cosines[kept].astype(np.float64)


def _nearest_of(embeddings: FloatArray, start: int, count: int) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the nearest others of a block of rows and their cosines, both `[b, count]`."""
    cosines = embeddings[start : start + BLOCK] @ embeddings.T
    block = np.arange(len(cosines))
    cosines[block, start + block] = -np.inf
    columns = np.argpartition(cosines, len(embeddings) - count - 1, axis=1)[:, len(embeddings) - count :]
    return columns, np.take_along_axis(cosines, columns, axis=1)


def _normalised(links: csr_array) -> csr_array:
    """Return the links divided by the square roots of both ends' degrees."""
    from scipy import sparse

    degrees = np.asarray(links.sum(axis=0), np.float64)
    scale = sparse.diags_array(np.where(degrees > 0, 1 / np.sqrt(np.where(degrees > 0, degrees, 1)), 0))
    return (scale @ links @ scale).tocsr()
