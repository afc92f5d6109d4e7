"""The router to begin with: what proved best on the tables that it was chosen on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.costs.regression import Regression
from routers.estimating import EstimatingRouter
from routers.estimators.ensemble import Ensemble
from routers.estimators.forest import Forest
from routers.estimators.task import Task
from routers.estimators.trust import Trust
from routers.estimators.wording import Wording
from routers.rules.greedy import Greedy
from routers.tongue import READING

if TYPE_CHECKING:
    from routers.types import Estimator, Rule

#: A gain over the model that is best on average is believed above this.
MARGIN = 0.1
#: Rows that a request is compared with.
SAMPLE = 1000


class Recommended(EstimatingRouter):
    """A forest and a table by task, stacked, believed as far as the request is familiar; costs are predicted.

    It is `EstimatingRouter(Trust(Wording(Ensemble([Forest, Task]))), rule, costs=Regression)` with the options that
    docs/routing/results.md explains. The rule is `Greedy` unless another is given.

    Parameters: `quality_weight`, the dial; `rule`, which chooses (None: greedy, without a floor); `seed` of what is
    drawn in fitting; `max_rows`, after which the oldest are dropped.

    >>> from routers.types import Candidate, Context
    >>> sorted(Recommended().requires)
    ['embedding']
    """

    def __init__(
        self, quality_weight: float = 0.7, rule: Rule | None = None, *, seed: int = 0, max_rows: int = 100_000
    ) -> None:
        members: list[Estimator] = [Forest(plain=READING, seed=seed, max_rows=max_rows), Task(max_rows=max_rows)]
        stacked = Wording(Ensemble(members, seed=seed), seed)
        estimator = Trust(stacked, margin=MARGIN, sample=min(SAMPLE, max_rows))
        super().__init__(estimator, rule or Greedy(), quality_weight, costs=Regression(max_rows=max_rows))
        self.seed = seed
        self.max_rows = max_rows
