"""Linear models, and each candidate as likely as it is to be the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.estimators.bayesian_linear import BayesianLinear
from routers.fading import HALF_LIFE_S
from routers.rules.floor import FLOOR, Floor
from routers.rules.thompson import Thompson
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Estimator, Utility


class LinThompson(SummingRouter):
    """Draw each candidate with the probability that it is the best, by linear models that learn online.

    Its choices are drawn from a distribution that is logged, so that its logs tell more of other policies than those of
    `lin_ucb`.

    Parameters: `estimator`, one that learns online by sums (by default `bayesian_linear`); `floor`, the least
    probability of every candidate (0: none); `quality_weight`, `utility` and `costs`, as of `estimating`, but costs are
    learned online too; `half_life_s`, after which an observation counts half; `seed`.

    >>> sorted(LinThompson().requires)
    ['embedding']

    Agrawal and Goyal (https://arxiv.org/abs/1209.3352).
    """

    kind: ClassVar[str] = "lin_thompson"

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        estimator: Estimator | None = None,
        floor: float = FLOOR,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        half_life_s: float = HALF_LIFE_S,
        seed: int = 0,
    ) -> None:
        linear = BayesianLinear(half_life_s=half_life_s) if estimator is None else estimator
        rule = Floor(Thompson(seed=seed), floor)
        super().__init__(linear, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.floor = floor
        self.seed = seed
