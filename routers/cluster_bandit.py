"""As likely as it is to be the best in the request's cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.estimators.cluster_bandit import ClusterBandit
from routers.fading import HALF_LIFE_S
from routers.rules.floor import FLOOR, Floor
from routers.rules.thompson import Thompson
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Utility


class ClusterBanditRouter(SummingRouter):
    """Draw each candidate with the probability that it is the best for requests of this cluster.

    The estimator `cluster_bandit`, the rule `thompson` with a floor, and costs that are learned online.

    Parameters: `clusters`, `shrinkage`, `half_life_s` and `seed`, as of the estimator; `floor`, the least probability
    of every candidate (0: none); `quality_weight`, `utility` and `costs`, as of `estimating`.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> sorted(ClusterBanditRouter().requires)
    ['embedding']

    Chapelle and Li, "An Empirical Evaluation of Thompson Sampling" (NIPS 2011).
    """

    kind: ClassVar[str] = "cluster_bandit"

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        clusters: int = 16,
        shrinkage: float = 10.0,
        floor: float = FLOOR,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        half_life_s: float = HALF_LIFE_S,
        seed: int = 0,
    ) -> None:
        estimator = ClusterBandit(clusters, shrinkage, half_life_s, seed=seed)
        rule = Floor(Thompson(seed=seed), floor)
        super().__init__(estimator, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.clusters = clusters
        self.shrinkage = shrinkage
        self.floor = floor
        self.seed = seed
