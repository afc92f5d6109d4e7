"""For a world that may change its mind: exponential weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from routers.estimators.importance import Importance
from routers.fading import HALF_LIFE_S
from routers.rules.floor import FLOOR, Floor
from routers.rules.softmax import Softmax
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Rule, Utility

#: The temperature before anything was heard: all are alike.
_EVEN = 1e6


class Exp3(SummingRouter):
    """Take each candidate with a probability in proportion to `exp(eta * n * utility)`, the utility of all `n` rewards.

    Nothing is assumed of how rewards come about, so that it cannot be misled for long by models that change, or that
    somebody changes on purpose; it looks at no request, and learns more slowly than those that assume something. The
    utilities are made of importance-weighted means (the estimator `importance`), which logged propensities keep right
    however late the rewards come; `eta = sqrt(ln m / (m n))` for `m` candidates. Costs are not what may change
    its mind: they are expected as elsewhere.

    Parameters: `gamma`, by which a propensity is raised before it is divided by, so that no reward counts for more than
    `1 / gamma`; `floor`, the least probability of every candidate; `quality_weight`, `utility` and `costs`, as of
    `estimating`; `half_life_s`, after which an observation counts half.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("large"), Candidate("small")]
    >>> next(Exp3().plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.5, 'small': 0.5}

    Auer, Cesa-Bianchi, Freund and Schapire, "The Nonstochastic Multiarmed Bandit Problem" (SIAM J. Comput. 32, 2002);
    Neu, "Explore no more" (https://arxiv.org/abs/1506.03271), whose implicit exploration `gamma` is.
    """

    kind: ClassVar[str] = "exp3"

    def __init__(
        self,
        gamma: float = 0.02,
        floor: float = FLOOR,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        half_life_s: float = HALF_LIFE_S,
    ) -> None:
        self._importance = Importance(gamma, half_life_s)
        rule = Floor(Softmax(_EVEN), floor)
        super().__init__(self._importance, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.gamma = gamma
        self.floor = floor

    def exploring(self, candidates: int) -> Rule:
        """Return exponential weights for so many rewards and candidates."""
        n = self._importance.observed
        # eta times n, which is the inverse of a temperature.
        inverse = math.sqrt(n * math.log(candidates) / candidates)
        return Floor(Softmax(min(1 / inverse, _EVEN) if inverse else _EVEN), self.floor)
