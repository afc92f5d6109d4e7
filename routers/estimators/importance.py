"""Means weighted by how unlikely their observation was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from routers.beliefs import table_cells
from routers.cells import Cells, spans_summed
from routers.estimators.constant import PRIOR
from routers.fading import HALF_LIFE_S
from routers.taught import Taught
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.cells import Column
    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Candidate, Context, Outcomes

#: Of each model: rewards, their sum, and with each divided by its propensity: how many, their sum, and the sum of
#: squares of the divisors' inverses.
_WIDTH: Final = 5
#: The mean of all rewards counts for so many of a model's rows.
IMAGINED: Final = 1.0


class Importance(Taught):
    """Estimate a model's mean reward from rewards divided by the probability with which they came to be observed.

        own  = sum(reward * mass) / sum(mass),    mass = 1 / (propensity + gamma)
        rows = sum(mass)^2 / sum(mass^2)
        (rows * own + mean) / (rows + 1)

    over the model's own rewards, where `mean` is that of all rewards: a model of which nothing was heard is average,
    and one that joined late is not taken for one that failed until then. `rows` is how many rewards of equal mass would
    tell as much (Kish's effective sample size). Held to [0, 1].

    In the literature of Exp3 the sum is divided by the number of all rounds, which is right where any model may be
    drawn in each round, and each reward is heard. Here a model may be barred from most requests, some requests may not
    explore, and models may not be rated alike: each sum is divided by its own mass, so that such rows count for or
    against nobody. That is consistent rather than unbiased, and varies less.

    A table counts as if its rows had been observed for certain, for at most `table_rows` of them.

    Parameters: `gamma`; `half_life_s`, after which an observation counts half; `table_rows`.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 2), np.nan, np.float32)
    >>> rewards = np.array([[1.0, 0.0], [0.5, 0.5]], np.float32)
    >>> importance = Importance()
    >>> importance.learn(Outcomes(("large", "small"), np.zeros((2, 4), np.float32), rewards, gap, gap))
    >>> importance.predict([Context("", 1)], [Candidate("small"), Candidate("large")]).mean.tolist()
    [[0.3333333432674408, 0.6666666865348816]]

    Neu, "Explore no more" (https://arxiv.org/abs/1506.03271), of which `gamma` is; Swaminathan and Joachims, "The
    Self-Normalized Estimator for Counterfactual Learning" (NeurIPS 2015); Kish, "Survey Sampling" (1965), for `rows`.
    """

    part = "importance"
    requires: frozenset[str] = frozenset()

    def __init__(self, gamma: float = 0.02, half_life_s: float = HALF_LIFE_S, table_rows: float = 200.0) -> None:
        if not 0 < gamma <= 1:
            raise ValueError(f"gamma={gamma} must be above 0 and at most 1: a propensity may be tiny")
        self.gamma = gamma
        self._table_n = 0.0
        super().__init__(half_life_s, table_rows)

    @property
    def observed(self) -> float:
        """Return how many rows were observed, as far as they count."""
        return min(self._table_n, self.table_rows) + float(self._all(self._online)[0])

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Return every model's weighted mean, once for each context."""
        mean, std = self._estimates([candidate.model for candidate in candidates])
        shape = len(contexts), len(candidates)
        return Estimates(*(np.broadcast_to(row.astype(np.float32), shape).copy() for row in (mean, std)))

    def learn(self, outcomes: Outcomes) -> None:
        """Add a table's rewards to the sums; the rows are not kept."""
        cells = table_cells(outcomes.models, outcomes.rewards, [""] * outcomes.n)
        # For certain: each row's propensity is one.
        known = {key: np.array([count, total, count, total, count]) for key, (count, total) in cells.known.items()}
        self._keep(self._table + Cells(known), self._online)
        self._table_n += float((~np.isnan(outcomes.rewards)).any(axis=1).sum())

    def sums(self, observations: Observations) -> Sums:
        """Return the sums of the rewards, weighted and not; a row without a reward or a propensity adds nothing."""
        unknown = np.isnan(observations.rewards) | np.isnan(observations.propensities)
        rows = np.flatnonzero(~unknown & (observations.weights > 0))
        weights, rewards = observations.weights[rows], np.clip(observations.rewards[rows], 0, 1)
        inverse = 1 / (observations.propensities[rows] + self.gamma)
        heavy = weights * inverse
        numbers = np.stack([weights, weights * rewards, heavy, heavy * rewards, heavy * inverse], axis=1)
        models = [observations.actions[row] for row in rows.tolist()]
        return spans_summed(self.part, self._fading, (models, [""] * len(rows), observations.times[rows]), numbers)

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the sums, those of tables and those learned online."""
        return {"table_n": np.array(self._table_n), **super().state()}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._table_n = float(state["table_n"].astype(np.float64))
        super().restore(state)

    def _estimates(self, models: Sequence[str]) -> tuple[Column, Column]:
        share = min(self.table_rows / self._table_n, 1.0) if self._table_n else 0.0
        known = self._table.at(models, "", _WIDTH) * share + self._online.at(models, "", _WIDTH)
        count, total = (self._all(self._table) * share + self._all(self._online))[:2]
        if not count:
            return np.full(len(models), PRIOR.mean), np.full(len(models), PRIOR.std)
        _, _, mass, weighted, squares = known
        mean = total / count
        rows = np.divide(mass**2, squares, out=np.zeros_like(mass), where=squares > 0)
        own = np.divide(weighted, mass, out=np.full_like(mass, mean), where=mass > 0)
        estimates = (rows * own + IMAGINED * mean) / (rows + IMAGINED)
        return np.clip(estimates, 0, 1), PRIOR.std / np.sqrt(1 + rows)

    def _all(self, cells: Cells) -> Column:
        return np.asarray(np.sum([*cells.known.values(), np.zeros(_WIDTH)], axis=0))
