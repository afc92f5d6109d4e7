"""Averages of what models lately earned in each domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.beliefs import Beliefs, counted, table_cells
from routers.cells import spans_summed
from routers.fading import HALF_LIFE_S
from routers.groups import ANY, group_of
from routers.taught import Taught
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.observations import Observations
    from routers.sums import Sums
    from routers.types import Candidate, Context, Outcomes


class Ema(Taught):
    """Estimate a model's reward as the average of what it lately earned in the request's domain.

    The average is exponential in time, not in requests: an observation counts half after `half_life_s` seconds. So it
    is a quotient of sums, which replicas can add up, and a model that is seldom asked is forgotten no faster than
    others. A domain's average is drawn to the model's, and that to the mean of all models; the standard error says how
    sure it is, and grows as observations fade. A request whose domain is not known is expected to earn the model's
    average.

    A table of outcomes does not fade, but counts for at most `table_rows` observations of each model; its tasks stand
    for the domains of the same names.

    Parameters: `feature` names the signal whose value is the domain (None: every request is alike); `shrinkage`, what
    the model's average counts for in each domain, in observations; `half_life_s`; `table_rows`.

    >>> import numpy as np
    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((2, 1), np.nan, np.float32)
    >>> rewards, embeddings = np.array([[1.0], [0.0]], np.float32), np.zeros((2, 2), np.float32)
    >>> ema = Ema(shrinkage=1.0)
    >>> ema.learn(Outcomes(("small",), embeddings, rewards, gap, gap, tasks=("code", "law")))
    >>> asked = [Context("", 1, features={"domain": name}) for name in ("code", "law", "art")]
    >>> ema.predict(asked, [Candidate("small")]).mean.tolist()
    [[0.75], [0.25], [0.5]]

    The router of ORCH (https://arxiv.org/abs/2602.01797).
    """

    part = "rewards"

    def __init__(
        self,
        feature: str | None = "domain",
        shrinkage: float = 5.0,
        half_life_s: float = HALF_LIFE_S,
        table_rows: float = 200.0,
    ) -> None:
        if not shrinkage > 0:
            raise ValueError(f"shrinkage={shrinkage} must be positive")
        self.feature = feature
        self.shrinkage = shrinkage
        super().__init__(half_life_s, table_rows)

    @property
    def requires(self) -> frozenset[str]:
        """Name the signal that tells the domain."""
        return frozenset() if self.feature is None else frozenset({self.feature.partition(".")[0]})

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Return every model's average in the domain of each context."""
        groups = [group_of(context, self.feature) for context in contexts]
        return Estimates(*self._beliefs.each([candidate.model for candidate in candidates], groups))

    def learn(self, outcomes: Outcomes) -> None:
        """Add a table's rewards to its counts; the rows are not kept."""
        groups = outcomes.tasks if outcomes.tasks and self.feature is not None else [ANY] * outcomes.n
        self._keep(self._table + table_cells(outcomes.models, outcomes.rewards, groups), self._online)

    def sums(self, observations: Observations) -> Sums:
        """Return the counts and sums of the rewards; a row without a reward adds nothing."""
        numbers, rows = counted(observations.rewards, observations.weights)
        groups = [group_of(observations.contexts[row], self.feature) or ANY for row in rows.tolist()]
        models = [observations.actions[row] for row in rows.tolist()]
        return spans_summed(self.part, self._fading, (models, groups, observations.times[rows]), numbers)

    def _learned(self) -> None:
        self._beliefs = Beliefs.of(self._table.at_most(self.table_rows) + self._online, self.shrinkage)
