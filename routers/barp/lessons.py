"""What a policy learns from: of each request the models that were tried, and what came of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.columns import spread
from routers.rows import rounded_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.observations import Observations
    from routers.types import Outcomes

    Array = NDArray[np.float64]

#: Quantile of the costs seen that counts as dear as can be.
CAP: Final = 0.95


@dataclass(frozen=True, slots=True)
class Lessons:
    """`n` requests by `m` models: `rewards` and `costs_usd`, NaN where not observed; unknown costs count as the cap.

    `propensities` `[n]` are those of the one model that was observed, NaN where several were: there the policy chooses
    itself, and sees only what it chose. `trust` `[n]` is how far the row counts.
    """

    embeddings: Array
    rewards: Array
    costs_usd: Array
    propensities: Array
    trust: Array

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.rewards)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Return which models were observed, `[n, m]`."""
        return ~np.isnan(self.rewards)


def of_table(outcomes: Outcomes, models: Sequence[str]) -> Lessons:
    """Return the rows of a table in which something was observed, its columns being `models`.

    Where it is one model alone, as in a log, the row has the propensity that was logged, and is left out if that is
    unknown; a table that has none says nothing of how likely it was, and the model's share of such rows is taken.
    """
    if outcomes.propensities is not None:
        lone = (~np.isnan(outcomes.rewards)).sum(axis=1) == 1
        outcomes = outcomes.take(np.flatnonzero(~(lone & np.isnan(outcomes.propensities))))
    rewards = spread(outcomes.rewards.astype(np.float64), outcomes.models, models, np.nan)
    costs = spread(outcomes.costs_usd.astype(np.float64), outcomes.models, models, np.nan)
    seen = ~np.isnan(rewards)
    rows = np.flatnonzero(seen.any(axis=1))
    single = seen[rows].sum(axis=1) == 1
    if outcomes.propensities is None:
        shares = seen[rows][single].mean(axis=0) if single.any() else np.zeros(len(models))
        logged = shares[seen[rows].argmax(axis=1)]
    else:
        logged = outcomes.propensities[rows]
    propensities = np.where(single, logged, np.nan)
    embeddings = rounded_units(outcomes.embeddings[rows]).astype(np.float64)
    return Lessons(embeddings, rewards[rows], costs[rows], propensities, np.ones(len(rows)))


def of_log(observations: Observations, models: Sequence[str], dimension: int) -> Lessons:
    """Return the rows of a log that have a reward and a propensity, its columns being `models`."""
    unknown = np.isnan(observations.rewards) | np.isnan(observations.propensities)
    rows = np.flatnonzero(~unknown & (observations.weights > 0))
    rewards, costs = np.full((2, len(rows), len(models)), np.nan)
    embeddings = np.zeros((len(rows), dimension))
    for place, row in enumerate(rows.tolist()):
        column = models.index(observations.actions[row])
        rewards[place, column] = observations.rewards[row]
        costs[place, column] = observations.costs_usd[row]
        if (embedding := observations.contexts[row].embedding) is not None:
            embeddings[place] = rounded_units(embedding[None])[0]
    return Lessons(embeddings, rewards, costs, observations.propensities[rows], observations.weights[rows])


def cap_of(costs_usd: Array) -> float:
    """Return the cost that counts as dear as can be; 0 where none is known."""
    known = costs_usd[~np.isnan(costs_usd)]
    return float(np.quantile(known, CAP)) if len(known) else 0.0
