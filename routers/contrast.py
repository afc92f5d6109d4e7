"""What the contrastive estimator descends: good models near a request, bad ones far, like requests together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.descent import Array, Parameters
    from routers.types import FloatArray

    Mask = NDArray[np.bool_]

#: A model may be a negative where its reward is at most this.
BAD = 0.5
#: Requests of other clusters that each request is contrasted with.
OTHERS = 3


@dataclass(frozen=True, slots=True)
class Choices:
    """What is to be chosen of what: `right` and `among` are `[b, k, c]`, of `c` things on `k` occasions.

    Where an occasion has nothing right, or nothing else to choose, it is left out.
    """

    right: Mask
    among: Mask

    @classmethod
    def of_models(cls, rewards: FloatArray, positives: int, negatives: int) -> Choices:
        """Contrast each of the best models of a row with the worst, for rewards `[n, m]`.

        Positives are the `positives` highest rewards above zero, one at a time; negatives the `negatives` lowest
        that are at most `BAD`, and below the positive. What was not observed is neither.
        """
        observed = ~np.isnan(rewards)
        good = _first(np.where(observed, -rewards, np.inf), positives) & observed & (np.nan_to_num(rewards) > 0)
        bad = _first(np.where(observed, rewards, np.inf), negatives) & observed & (np.nan_to_num(rewards) <= BAD)
        places = np.argsort(~good, axis=1, kind="stable")[:, :positives]
        right = np.zeros((*places.shape, rewards.shape[1]), np.bool_)
        np.put_along_axis(right, places[:, :, None], np.take_along_axis(good, places, axis=1)[:, :, None], axis=2)
        height = np.take_along_axis(rewards, places, axis=1)[:, :, None]
        return cls(right, (bad[:, None, :] & (rewards[:, None, :] < height)) | right).whole()

    @classmethod
    def of_clusters(cls, clusters: NDArray[np.intp], rng: np.random.Generator) -> Choices:
        """Contrast each row with one of its cluster and `OTHERS` of other clusters, drawn at random."""
        count = len(clusters)
        same: Mask = np.equal.outer(clusters, clusters)
        lots = rng.random((count, count))
        mates = same & ~np.eye(count, dtype=np.bool_)
        mate = np.asarray(_first(np.where(mates, lots, np.inf), 1) & mates)
        others = np.asarray(_first(np.where(same, np.inf, lots), OTHERS) & ~same)
        return cls(mate[:, None, :], (mate | others)[:, None, :]).whole()

    def take(self, rows: NDArray[np.intp]) -> Choices:
        """Return those of some rows."""
        return Choices(self.right[rows], self.among[rows])

    def loss(self, scores: Array) -> tuple[float, Array]:
        """Return the mean over rows of the summed `-log softmax` of what is right, and its slope, for `[b, c]`."""
        open_scores = np.where(self.among, scores[:, None, :], -np.inf)
        played = np.asarray(self.right.any(axis=2, keepdims=True))
        top = np.where(played, open_scores.max(axis=2, keepdims=True, initial=-np.inf), 0)
        weights = np.where(self.among, np.exp(np.minimum(scores[:, None, :] - top, 0)), 0)
        total = np.where(played, weights.sum(axis=2, keepdims=True), 1)
        losses = np.where(played[..., 0], np.log(total[..., 0]) + top[..., 0], 0)
        losses = losses - np.where(self.right, scores[:, None, :], 0).sum(axis=2)
        slopes = weights / total - self.right
        return float(losses.sum() / len(scores)), slopes.sum(axis=1) / len(scores)

    def whole(self) -> Choices:
        """Leave out occasions with nothing to choose between."""
        played = self.right.any(axis=2, keepdims=True) & (self.among.sum(axis=2, keepdims=True) > 1)
        return Choices(self.right & played, self.among & played)


@dataclass(frozen=True, slots=True)
class Contrasts:
    """A minibatch: embeddings `[b, d]`, what to choose of models and of the batch's rows, and what rows weigh."""

    embeddings: FloatArray
    models: Choices
    rows: Choices
    temperature: float
    weight: float


def contrast(parameters: Parameters, batch: Contrasts) -> tuple[float, Parameters]:
    """Return the loss of a `projection` `[q, d]` and of `models` `[m, q]`, and its gradient by each."""
    raw = batch.embeddings @ parameters["projection"].T
    features, directions = unit(raw), unit(parameters["models"])
    model_loss, by_score = batch.models.loss(features @ directions.T / batch.temperature)
    row_loss, by_likeness = batch.rows.loss(features @ features.T / batch.temperature)
    by_score, by_likeness = by_score / batch.temperature, batch.weight * by_likeness / batch.temperature
    by_features = by_score @ directions + (by_likeness + by_likeness.T) @ features
    gradient = {
        "projection": _before_unit(by_features, raw).T @ batch.embeddings,
        "models": _before_unit(by_score.T @ features, parameters["models"]),
    }
    return model_loss + batch.weight * row_loss, gradient


def unit(vectors: Array) -> Array:
    """Scale rows `[..., q]` to unit length; zeros stay zeros."""
    return np.asarray(vectors / _lengths(vectors))


def _lengths(vectors: Array) -> Array:
    lengths = np.sqrt(np.vecdot(vectors, vectors))[..., None]
    return np.where(lengths > 0, lengths, 1)


def _before_unit(by_unit: Array, vectors: Array) -> Array:
    """Return the gradient by vectors from that by their directions."""
    directions = unit(vectors)
    return np.asarray((by_unit - np.vecdot(by_unit, directions)[:, None] * directions) / _lengths(vectors))


def _first(keys: NDArray[np.floating], count: int) -> Mask:
    """Mark the `count` lowest of each row; of equals the first."""
    marks = np.zeros(keys.shape, np.bool_)
    np.put_along_axis(marks, np.argsort(keys, axis=1, kind="stable")[:, :count], values=True, axis=1)
    return marks
