"""Reads how hard a text is and how much thinking helps with it, from its structure and its embedding, if there is one.

Two sets of small networks: one reads the features of `features.py` alone, the other an embedding too, from which
the directions between topics were taken out. Where there is an embedding, the answer is the mean of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.difficulty.features import cut, features
from gateway.signals.difficulty.weights import DifficultyError, Network, Weights, read_weights

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from routers.types import FloatArray

__all__ = ["DIMENSION", "DifficultyError", "DifficultyModel", "DifficultyReading"]

#: Of the embedding that the weights were fitted with: all-MiniLM-L6-v2.
DIMENSION = 384
#: Standard deviations beyond which a feature counts no more.
CLIP = 4.0
#: How much surer a reading of a whole text is than one of its head and tail.
TRUNCATED_CONFIDENCE = 0.7
#: What embeddings are multiplied by, so that they weigh about as much as standardised features in the fit.
EMBEDDING_SCALE = 3.0


@dataclass(frozen=True, slots=True)
class DifficultyReading:
    """What was read of a text; all numbers are in [0, 1].

    `difficulty` is the share expected to fail of a spread of models (7B of 2023 to the best of 2024), `reasoning` how
    much thinking first is expected to help. A confidence is 1 less twice the absolute error to expect.
    """

    difficulty: float
    difficulty_confidence: float
    reasoning: float
    reasoning_confidence: float
    truncated: bool
    ood: float


class DifficultyModel:
    """Judges texts. Safe to call from any thread."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @classmethod
    def load(cls, folder: Traversable | None = None) -> DifficultyModel:
        """Return the model that ships with the package. Raises `DifficultyError` where its file is damaged."""
        return cls(read_weights((folder or files("gateway.signals.difficulty")) / "weights.npz"))

    def read(self, text: str, embedding: FloatArray | None = None) -> DifficultyReading:
        """Return what a text tells; `embedding` is its unit vector `[384]` by all-MiniLM-L6-v2, or None.

        Raises `ValueError` for an embedding of another length.
        """
        shortened, truncated = cut(text)
        row = (features(shortened, self._weights.ranks) - self._weights.mean) / self._weights.scale
        ood = _between(float(row @ row) / len(row), self._weights.strangeness)
        row = np.clip(row, -CLIP, CLIP)
        logits, network = _logits(self._weights.plain, row), self._weights.plain
        if embedding is not None:
            vector = _checked(embedding)
            ood = max(ood, _between(1 - float((self._weights.centres @ vector).max()), self._weights.distances))
            network = self._weights.embedded
            rest = vector - self._weights.topics.T @ (self._weights.topics @ vector)
            logits = np.concatenate([logits, _logits(network, np.concatenate([row, EMBEDDING_SCALE * rest]))], axis=1)
        return _reading(logits, network, ood, truncated=truncated)


def _logits(network: Network, row: FloatArray) -> FloatArray:
    """Return what each member says `[2, members]`."""
    activity = np.maximum(row @ network.hidden + network.hidden_bias, 0)
    members = activity.reshape(network.output.shape[1:])
    return np.asarray((network.output * members).sum(axis=2) + network.output_bias, np.float32)


def _reading(logits: FloatArray, network: Network, ood: float, *, truncated: bool) -> DifficultyReading:
    votes = 1 / (1 + np.exp(-logits))
    values = votes.mean(axis=1)
    spread = votes.std(axis=1)
    factor = TRUNCATED_CONFIDENCE if truncated else 1.0
    terms = np.stack([np.ones(2), spread, values * (1 - values), values, np.full(2, ood)], axis=1)
    errors = np.clip((terms * network.error).sum(axis=1), 0, 0.5)
    return DifficultyReading(
        difficulty=float(values[0]),
        difficulty_confidence=factor * float(1 - 2 * errors[0]),
        reasoning=float(values[1]),
        reasoning_confidence=factor * float(1 - 2 * errors[1]),
        truncated=truncated,
        ood=ood,
    )


def _between(value: float, bounds: FloatArray) -> float:
    low, high = float(bounds[0]), float(bounds[1])
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _checked(embedding: FloatArray) -> FloatArray:
    vector = np.asarray(embedding, np.float32)
    if vector.shape != (DIMENSION,):
        raise ValueError(f"the difficulty model needs an embedding of {DIMENSION} numbers, not {vector.shape}")
    return vector
