"""A model of which little was observed, and what is believed of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from routers.odds import deviation, log_odds, sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Estimates nearer than this to 0 or 1 are taken for this: the log odds of certainty are infinite.
_LEAST_CHANCE = 0.02
#: Standard deviations, before anything is observed, of how much better a newcomer is than the known models are on
#: average (in log odds), and of how much more or less it minds what is hard for them.
_OFFSET, _SLOPE = 1.5, 0.5
#: How far a newcomer may differ from the average, in deviations of the known models: estimates differ less than what
#: they estimate.
_PECULIARITY = 2.0
_STEPS, _CLOSE_ENOUGH, _LONGEST_STEP = 50, 1e-10, 2.0


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What is known of one newcomer: a normal belief about how it differs from the models that were `known`.

    `centre` is the mean of what was expected on its probes, in log odds; `mean` is `[p]`, `covariance` `[p, p]`.
    """

    known: tuple[str, ...]
    centre: float
    mean: Array
    covariance: Array

    @classmethod
    def unobserved(cls, known: tuple[str, ...], chances: Array) -> Newcomer:
        """Return what is believed before it answers probes of which chances `[n, m]` are expected of the known."""
        centre = float(log_odds(chances, _LEAST_CHANCE).mean()) if chances.size else 0.0
        size = 2 + len(known)
        return cls(known, centre, np.zeros(size), np.eye(size))

    def observing(self, chances: Array, rewards: Array) -> Newcomer:
        """Return what is believed after rewards `[n]` where chances `[n, m]` were expected of the known models."""
        base, inputs = self._inputs(chances)
        precision, mean = np.linalg.inv(self.covariance), self.mean
        information = precision
        for _ in range(_STEPS):
            expected = sigmoid(base + (inputs * mean).sum(axis=1))
            information = precision + (inputs * (expected * (1 - expected))[:, None]).T @ inputs
            slope = inputs.T @ (rewards - expected) - precision @ (mean - self.mean)
            step = np.linalg.solve(information, slope)
            mean = mean + step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), _CLOSE_ENOUGH))
            if np.abs(step).max() < _CLOSE_ENOUGH:
                break
        return replace(self, mean=mean, covariance=np.asarray(np.linalg.inv(information), np.float64))

    def expected(self, chances: Array) -> tuple[Array, Array]:
        """Return its expected rewards `[n]` and their standard errors, where chances `[n, m]` are the known models'."""
        base, inputs = self._inputs(chances)
        margins = base + (inputs * self.mean).sum(axis=1)
        errors = np.sqrt(np.einsum("np,pq,nq->n", inputs, self.covariance, inputs))
        return sigmoid(margins), deviation(margins, errors)

    def _inputs(self, chances: Array) -> tuple[Array, Array]:
        """Return the known models' average log odds `[n]`, and what a newcomer may add, each about one in size."""
        odds = log_odds(chances, _LEAST_CHANCE)
        average = odds.mean(axis=1) if self.known else np.zeros(len(odds))
        own = (odds - average[:, None]) * (_PECULIARITY / np.sqrt(max(len(self.known) - 1, 1)))
        offset = np.full((len(odds), 1), _OFFSET)
        return average, np.concatenate([offset, _SLOPE * (average - self.centre)[:, None], own], axis=1)
