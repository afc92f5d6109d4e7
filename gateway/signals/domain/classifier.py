"""Tells which of a user's classes a text belongs to; fitted at start-up, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.domain.examples import OTHER, Classes
from gateway.signals.domain.fitting import Fitted, fit_classes
from gateway.signals.domain.views import Views, unit_embeddings
from gateway.signals.domain.weights import Weights, shipped_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from routers.types import FloatArray

#: Above it, a request is `other`: it is less familiar than all but a few of the examples are to each other.
AUTOMATIC_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class DomainReading:
    """What was found of one text.

    `domain` is a class, or `other`; `confidence` the probability that it is right. `ood` in [0, 1] says how
    unfamiliar the text is. `second` is the class that comes next to the best one, and `margin` how much less
    probable it is: both are of the classes alone, whether or not the text is `other`.
    """

    domain: str
    confidence: float
    ood: float
    second: str
    margin: float


class DomainClassifier:
    """Made by `fit`. It may be called from any thread. `threshold` is the `ood` above which a text is `other`."""

    def __init__(self, names: Sequence[str], fitted: Fitted, views: Views, threshold: float) -> None:
        self.names = tuple(names)
        self.threshold = threshold
        self._fitted = fitted
        self._views = views

    @property
    def size(self) -> int:
        """Return how many rows a request is compared with."""
        return len(self._fitted.ridge.rows)

    def read(self, embedding: FloatArray, text: str) -> DomainReading:
        """Return what a text is, given its unit vector `[384]`. Raises `DomainError` for another dimension."""
        return self.read_batch(np.asarray(embedding)[None], [text])[0]

    def read_batch(self, embeddings: FloatArray, texts: Sequence[str]) -> list[DomainReading]:
        """Return what several texts are, given their unit vectors `[n, 384]`."""
        if not texts:
            return []
        vectors = unit_embeddings(np.asarray(embeddings))
        scores = self._fitted.scores(vectors, self._views.vectors(vectors, texts))
        probabilities = self._fitted.probabilities(scores)
        unfamiliar = self._fitted.ood(vectors, scores)
        return [self._reading(row, float(ood)) for row, ood in zip(probabilities, unfamiliar, strict=True)]

    def _reading(self, probabilities: NDArray[np.float64], ood: float) -> DomainReading:
        best, second = np.argsort(-probabilities, kind="stable")[:2]
        known = ood <= self.threshold
        return DomainReading(
            domain=self.names[best] if known else OTHER,
            confidence=float(probabilities[best]) if known else ood,
            ood=ood,
            second=self.names[second],
            margin=float(probabilities[best] - probabilities[second]),
        )


def fit(
    classes: Classes,
    encode: Callable[[Sequence[str]], FloatArray],
    *,
    threshold: float = AUTOMATIC_THRESHOLD,
    weights: Weights | None = None,
) -> DomainClassifier:
    """Return a classifier of the classes. `encode` turns texts into unit vectors `[n, 384]`, as MiniLM does.

    `threshold` in [0, 1] is the `ood` above which a text is `other`: 1 is never. Raises `DomainError` where the
    encoder is not the one that the weights belong to, and `ValueError` for a threshold outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"the threshold of the signal 'domain' must be between 0 and 1, not {threshold}")
    weights = weights or shipped_weights()
    views = Views(weights)
    return DomainClassifier(classes.names, fit_classes(classes, encode, views, weights), views, threshold)
