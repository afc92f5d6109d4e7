"""Linear models, and the best that may be hoped for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.estimators.bayesian_linear import BayesianLinear
from routers.fading import HALF_LIFE_S
from routers.rules.floor import SLIGHT_FLOOR, SLIGHT_TOTAL, Floor
from routers.rules.ucb import HORIZON, Ucb
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Estimator, Utility


class LinUcb(SummingRouter):
    """Take the candidate of the greatest utility that may be hoped for, by linear models that learn online.

    Parameters: `alpha` and `horizon`, as of the rule `ucb`; `estimator`, one that learns online by sums (by default
    `bayesian_linear`); `floor`, the least probability of every candidate (0: none), and `total`, what all floors have
    together in a large pool (None: a tenth, or the floor where that is more); `quality_weight`, `utility` and `costs`,
    as of `estimating`, but costs are learned online too; `half_life_s`, in which an observation loses half.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("large"), Candidate("small")]
    >>> next(LinUcb(floor=0).plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.5, 'small': 0.5}

    Li et al. (https://arxiv.org/abs/1003.0146); of models: MetaLLM (https://arxiv.org/abs/2407.10834) and GreenServ.
    """

    kind: ClassVar[str] = "lin_ucb"

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        alpha: float = 1.0,
        estimator: Estimator | None = None,
        floor: float = SLIGHT_FLOOR,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        horizon: float | None = HORIZON,
        total: float | None = SLIGHT_TOTAL,
        half_life_s: float = HALF_LIFE_S,
    ) -> None:
        linear = BayesianLinear(half_life_s=half_life_s) if estimator is None else estimator
        rule = Floor(Ucb(alpha, horizon), floor, total)
        super().__init__(linear, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.alpha = alpha
        self.horizon = horizon
        self.floor = floor
        self.total = total
