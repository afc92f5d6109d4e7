"""The router to begin with: what proved best on the tables that it was chosen on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.costs.regression import Regression
from routers.estimating import EstimatingRouter
from routers.estimators.ensemble import Ensemble
from routers.estimators.forest import Forest
from routers.estimators.knn import KNN
from routers.estimators.ridge import Ridge
from routers.estimators.trust import Trust
from routers.rules.greedy import Greedy

if TYPE_CHECKING:
    from routers.types import Rule


class Recommended(EstimatingRouter):
    """A forest, nearest neighbours and a ridge, stacked; believed as far as the request is familiar; lengths predicted.

    It is `EstimatingRouter(Trust(Ensemble([Forest, KNN, Ridge])), rule, costs=Regression)` with the options that
    docs/routing/results.md explains. The rule is `Greedy` unless another is given.

    Parameters: `quality_weight`, the dial; `rule`, which chooses (None: greedy, without a floor); `seed` of what is
    drawn in fitting.

    >>> from routers.types import Candidate, Context
    >>> sorted(Recommended().requires)
    ['embedding']
    """

    def __init__(self, quality_weight: float = 0.7, rule: Rule | None = None, seed: int = 0) -> None:
        members = [Forest(seed=seed), KNN(neighbours=100), Ridge()]
        estimator = Trust(Ensemble(members, seed=seed))
        super().__init__(estimator, rule or Greedy(), quality_weight, costs=Regression())
        self.seed = seed
