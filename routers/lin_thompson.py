"""Linear models, and each candidate as likely as it is to be the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from routers.estimators.bayesian_linear import BayesianLinear
from routers.fading import HALF_LIFE_S
from routers.rules.floor import SLIGHT_FLOOR, SLIGHT_TOTAL, Floor
from routers.rules.thompson import Thompson
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Estimator, Utility

#: Standard errors of the draws, unless said otherwise: what whole ones find does not pay for what they cost.
TEMPERATURE: Final = 0.7


class LinThompson(SummingRouter):
    """Draw each candidate with the probability that it is the best, by linear models that learn online.

    Its choices are drawn from a distribution that is logged, so that its logs tell more of other policies than those of
    `lin_ucb`.

    Parameters: `estimator`, one that learns online by sums (by default `bayesian_linear`); `temperature`, standard
    errors of the draws: below 1 it tries less than doubt alone would; `floor`, the least probability of every candidate
    (0: none), and `total`, what all floors have together in a large pool (None: a tenth, or the floor where that is
    more); `quality_weight`, `utility` and `costs`, as of `estimating`, but costs are learned online too; `half_life_s`,
    after which an observation counts half; `seed`.

    >>> sorted(LinThompson().requires)
    ['embedding']

    Agrawal and Goyal (https://arxiv.org/abs/1209.3352).
    """

    kind: ClassVar[str] = "lin_thompson"

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        estimator: Estimator | None = None,
        floor: float = SLIGHT_FLOOR,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        temperature: float = TEMPERATURE,
        total: float | None = SLIGHT_TOTAL,
        half_life_s: float = HALF_LIFE_S,
        seed: int = 0,
    ) -> None:
        linear = BayesianLinear(half_life_s=half_life_s) if estimator is None else estimator
        rule = Floor(Thompson(seed=seed, temperature=temperature), floor, total)
        super().__init__(linear, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.temperature = temperature
        self.floor = floor
        self.total = total
        self.seed = seed
