"""Shares of the traffic, by model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.stateless import StatelessRouter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Weighted(StatelessRouter):
    """Split the traffic in given proportions, for a canary or an A/B test.

    Parameters: `weights`, by model. A candidate without a weight is not chosen; where no candidate has
    one (all that had are resting), each is as likely as the next.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("new"), Candidate("old")]
    >>> next(Weighted({"old": 3, "new": 1}).plan(Context("hello", 2), pool, Random(0))).propensities
    {'new': 0.25, 'old': 0.75}

    Mixing two models at random reaches every point between them, which is RouterBench's "zero router"
    (https://arxiv.org/abs/2403.12031).
    """

    kind = "weighted"

    def __init__(self, weights: Mapping[str, float]) -> None:
        wrong = {model: weight for model, weight in weights.items() if not 0 <= weight < math.inf}
        if wrong:
            raise ValueError(f"weights must be finite and not negative, unlike {wrong}")
        self.weights = weights

    @property
    def named(self) -> frozenset[str]:
        """Return the models that have a weight."""
        return frozenset(self.weights)

    def weights_of(self, models: Sequence[str]) -> list[float]:
        """Return each model's weight, or one for each where none has any."""
        weights = [float(self.weights.get(model, 0)) for model in models]
        return weights if any(weights) else [1.0] * len(models)
