"""What matrix factorization descends: the loss of predicting who wins which battle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.descent import adam, minibatches
from routers.odds import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.battles import Battles
    from routers.descent import Array, Parameters
    from routers.types import FloatArray

#: Battles in one step of the descent.
BATCH = 64


@dataclass(frozen=True, slots=True)
class Duels:
    """A minibatch of battles: embeddings `[b, d]`, who fought whom, and the result for the first, all `[b]`."""

    embeddings: FloatArray
    firsts: NDArray[np.intp]
    seconds: NDArray[np.intp]
    results: Array


@dataclass(frozen=True, slots=True)
class Descent:
    """How to descend: length of the models' vectors, epochs, step, decay, noise, and the seed of what is drawn."""

    dimension: int
    epochs: int
    learning_rate: float
    weight_decay: float
    noise: float
    seed: int

    def run(self, battles: Battles) -> tuple[Array, Array]:
        """Return the projection `[q, d]` and the models' vectors `[m, q]` that tell winners from losers.

        Features of the embeddings, which are `projection @ embedding`, have a mean square length of 1.
        """
        rng = np.random.default_rng(self.seed)
        length, models = battles.embeddings.shape[1], len(battles.models)
        start = {
            "projection": rng.standard_normal((self.dimension, length)) / np.sqrt(length),
            "models": rng.standard_normal((models, self.dimension)),
            "weights": np.ones(self.dimension),
        }

        def gradient(parameters: Parameters, batch: NDArray[np.intp]) -> Parameters:
            clean = battles.embeddings[battles.rows[batch]]
            noisy = clean + self.noise * rng.standard_normal(clean.shape, np.float32)
            duels = Duels(noisy, battles.firsts[batch], battles.seconds[batch], battles.results[batch])
            return duel_gradient(parameters, duels)

        batches = minibatches(len(battles), BATCH, self.epochs, rng)
        decay, step = self.weight_decay, self.learning_rate
        found = adam(start, gradient, batches, learning_rate=step, weight_decay=decay)
        features = battles.embeddings @ found["projection"].T
        size = np.sqrt(max(np.vecdot(features, features).mean(), np.finfo(np.float64).tiny))
        return found["projection"] / size, size * found["weights"] * units(found["models"])


def units(vectors: Array) -> Array:
    """Scale rows to unit length."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def duel_loss(parameters: Parameters, duels: Duels) -> float:
    """Return the mean cross-entropy of the results, which `duel_gradient` differentiates."""
    scaled = parameters["weights"] * units(parameters["models"])
    features = duels.embeddings @ parameters["projection"].T
    margins = np.vecdot(features, scaled[duels.firsts] - scaled[duels.seconds])
    return float((np.logaddexp(0, margins) - duels.results * margins).mean())


def duel_gradient(parameters: Parameters, duels: Duels) -> Parameters:
    """Return the gradient of the mean cross-entropy by each parameter."""
    directions = units(parameters["models"])
    scaled = parameters["weights"] * directions
    features = duels.embeddings @ parameters["projection"].T
    apart = scaled[duels.firsts] - scaled[duels.seconds]
    errors = (sigmoid(np.vecdot(features, apart)) - duels.results)[:, None] / len(duels.results)
    sides = np.eye(len(directions))
    by_scaled = (sides[duels.firsts] - sides[duels.seconds]).T @ (errors * features)
    by_direction = by_scaled * parameters["weights"]
    across = by_direction - np.vecdot(by_direction, directions)[:, None] * directions
    return {
        "projection": (errors * apart).T @ duels.embeddings,
        "models": across / np.linalg.norm(parameters["models"], axis=1, keepdims=True),
        "weights": (by_scaled * directions).sum(axis=0),
    }
