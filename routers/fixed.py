"""One model, always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.stateless import StatelessRouter

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fixed(StatelessRouter):
    """Take one model by its name; refuse where it is not among the candidates.

    Parameters: `model`, its name.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("small"), Candidate("large")]
    >>> next(Fixed("large").plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 1.0, 'small': 0.0}

    The single-model baseline of every evaluation (https://arxiv.org/abs/2403.12031).
    """

    kind = "fixed"

    def __init__(self, model: str) -> None:
        self.model = model

    @property
    def named(self) -> frozenset[str]:
        """Return the one model."""
        return frozenset({self.model})

    def weights_of(self, models: Sequence[str]) -> list[float]:
        """Return one for the model, zero for the others."""
        return [float(model == self.model) for model in models]
