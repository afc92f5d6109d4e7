"""The same estimate for every request: each model's mean."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from routers.tally import Tally
from routers.types import Estimate, Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Outcomes

#: What is expected of a model of which nothing was observed: anything.
PRIOR = Estimate(mean=0.5, std=0.5)


class Constant:
    """Estimate a model's reward as the mean of those observed, whatever the request.

    The standard error is that of the mean. A model of which nothing was observed gets `PRIOR`. This is
    the baseline that every other estimator has to beat: the best single model for a given price of money
    (the points of RouterBench's "zero router", https://arxiv.org/abs/2403.12031).

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 2), np.nan, np.float32)
    >>> rewards = np.array([[1.0, 0.0], [0.5, np.nan]], np.float32)
    >>> constant = Constant()
    >>> constant.learn(Outcomes(("large", "small"), np.zeros((2, 4), np.float32), rewards, gap, gap))
    >>> pool = [Candidate("small"), Candidate("large"), Candidate("new")]
    >>> constant.predict([Context("hello", 2)], pool).mean.tolist()
    [[0.0, 0.75, 0.5]]
    """

    requires: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._tally = Tally.empty()

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Return every model's mean and its standard error, once for each context."""
        return alike(self._tally.of_models([candidate.model for candidate in candidates]), len(contexts))

    def learn(self, outcomes: Outcomes) -> None:
        """Add the rewards to the counts; the rows are not kept."""
        self._tally += Tally.of(outcomes.models, outcomes.rewards)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the models and their counts, sums and sums of squares."""
        return {"models": np.array(self._tally.models, dtype=np.str_), "moments": self._tally.moments}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._tally = Tally(tuple(state["models"].tolist()), state["moments"].astype(np.float64))


@lru_cache(maxsize=1024)
def averages(tally: Tally) -> NDArray[np.float64]:
    """Return the models' means and the standard errors of these, `[2, m]`; `PRIOR` for one never observed."""
    error = np.sqrt(tally.variance / np.maximum(tally.count, 1))
    prior = np.array([[PRIOR.mean], [PRIOR.std]])
    both: NDArray[np.float64] = np.where(tally.count > 0, np.stack([tally.mean, error]), prior)
    both.flags.writeable = False  # it is shared
    return both


def alike(tally: Tally, n: int) -> Estimates:
    """Return the `averages` of the models, for each of `n` requests."""
    return Estimates(*(np.tile(row.astype(np.float32), (n, 1)) for row in averages(tally)))
