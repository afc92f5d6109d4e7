"""How unlike the examples a request is: the out-of-distribution score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.signals.domain.ridge import Ridge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.types import FloatArray

#: The kernel's sharpness and noise, here.
SHARPNESS, NOISE = 2.0, 0.05
#: What the three parts count for, in log odds: fitted by logistic regression on CLINC150's five domains and
#: general questions that were not in the background.
VARIANCE_PART, SCORE_PART, BACKGROUND_PART = 38.0, -4.0, 23.0
BACKGROUND_SHARPNESS = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """Compares a request with the examples, and with general questions that belong to no class.

    It adds up how little the examples tell of the request (a Gaussian process's variance), how poor the best
    class's score is, and how near the request is to the background `[b, d]`.
    """

    ridge: Ridge
    background: FloatArray

    @classmethod
    def fit(cls, embeddings: FloatArray, background: FloatArray) -> Novelty:
        """Fit to the embeddings `[n, d]` of examples; what of the background looks like one of them is left out."""
        noise = np.full(len(embeddings), NOISE)
        ridge = Ridge.fit(embeddings, np.zeros((len(embeddings), 0)), noise, SHARPNESS)
        typical = np.median(ridge.held_out_variance())
        unlike = ridge.variance(background) > typical
        return cls(ridge, background[unlike] if unlike.any() else background)

    def log_odds(self, embeddings: FloatArray, best: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how unfamiliar requests are, `[m]`; `best` is the score of the best class of each."""
        return self._combine(self.ridge.variance(embeddings), embeddings, best)

    def held_out_log_odds(self, best: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how unfamiliar the first examples, one for each of `best`, would be, had they not been shown."""
        first = len(best)
        return self._combine(self.ridge.held_out_variance()[:first], self.ridge.rows[:first], best)

    def _combine(
        self, variance: NDArray[np.floating], embeddings: FloatArray, best: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        nearness = np.exp(BACKGROUND_SHARPNESS * (embeddings @ self.background.T - 1)).mean(axis=1)
        general = np.log(nearness) / BACKGROUND_SHARPNESS
        total = VARIANCE_PART * variance + SCORE_PART * best + BACKGROUND_PART * general
        return np.asarray(total, np.float64)
