"""Scores a text for jailbreaks and injected instructions: a linear model over hashed n-grams, with rules beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.safety.evidence import gathered
from gateway.signals.safety.weights import load_weights

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from gateway.signals.safety.evidence import Evidence
    from gateway.signals.safety.weights import Weights
    from routers.types import FloatArray


@dataclass(frozen=True, slots=True)
class SafetyReading:
    """What was found of one text. All numbers are in [0, 1].

    `jailbreak` is the probability that it tries to get past instructions or rules, `harmful` that it asks plainly for
    something harmful. `confidence` is how sure `jailbreak` is, `ood` how unlike the training texts it is, `rules`
    which rules held. `deferred` says that a larger guard was asked.
    """

    jailbreak: float
    harmful: float
    confidence: float
    ood: float
    truncated: bool
    rules: tuple[str, ...] = ()
    deferred: bool = False


class JailbreakClassifier:
    """The guard that ships with the package; see the model card beside it."""

    def __init__(self, weights: Weights) -> None:
        # Widened once: sums of 16-bit numbers take several times as long.
        self._weights = replace(weights, windows=weights.windows.astype(np.float32))

    @classmethod
    def load(cls, file: Traversable | None = None) -> JailbreakClassifier:
        """Read the weights that ship with the package, or those of a file. Raises `SafetyWeightsError`."""
        return cls(load_weights(file))

    def score(self, text: str, embedding: FloatArray | None = None) -> SafetyReading:
        """Return what is found in a text; `embedding` (a unit vector of the built-in encoder) adds to it."""
        evidence = gathered(text, self._weights)
        jailbreak = _probability(self._logit(evidence, embedding))
        slope, intercept = (float(value) for value in self._weights.harmful)
        low, high = (float(value) for value in self._weights.unseen)
        ood = min(max((evidence.unseen - low) / (high - low), 0.0), 1.0)
        sure = abs(2 * jailbreak - 1) * (1 - ood / 2)
        harmful = _probability(slope * evidence.harmful + intercept)
        return SafetyReading(jailbreak, harmful, sure, ood, evidence.truncated, evidence.names)

    def _logit(self, evidence: Evidence, embedding: FloatArray | None) -> float:
        weights = self._weights
        logit = float(evidence.values @ weights.evidence + weights.intercept[0])
        if embedding is None or len(embedding) != len(weights.embedding):
            return logit
        own, other, intercept = (float(value) for value in weights.blend)
        return own * logit + other * float(np.dot(weights.embedding, embedding)) + intercept


def _probability(logit: float) -> float:
    # Written with tanh, which does not overflow.
    return 0.5 * (1 + math.tanh(logit / 2))
