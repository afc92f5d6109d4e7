"""Any model, evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.stateless import StatelessRouter

if TYPE_CHECKING:
    from collections.abc import Sequence


class RandomChoice(StatelessRouter):
    """Take any candidate, each as likely as the next.

    Its logs are the best there are for evaluating any other router.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("small"), Candidate("large")]
    >>> next(RandomChoice().plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.5, 'small': 0.5}

    Li et al., "Unbiased Offline Evaluation of Contextual-bandit-based News Article Recommendation
    Algorithms" (https://arxiv.org/abs/1003.5956).
    """

    kind = "random"

    def weights_of(self, models: Sequence[str]) -> list[float]:
        """Return one for each."""
        return [1.0] * len(models)
