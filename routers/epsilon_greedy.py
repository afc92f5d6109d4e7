"""The best, and any at random: ever more seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.estimators.ema import Ema
from routers.fading import HALF_LIFE_S
from routers.rules.epsilon import Epsilon
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Estimator, Rule, Utility


class EpsilonGreedy(SummingRouter):
    """Take what looks best, or any candidate with a probability that falls with what was heard.

        epsilon = max(min_epsilon, epsilon * decay ^ n)

    where `n` is the number of rewards, by their weights and as far as they have not faded: after a long silence it
    tries more again. What looks best is told by an estimator that learns online by sums; by default by each model's
    average.

    Parameters: `estimator`; `epsilon`, where it begins; `decay`; `min_epsilon`; `quality_weight`, `utility` and
    `costs`, as of `estimating`, but costs are learned online too; `half_life_s`, after which an observation counts
    half.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("large"), Candidate("small")]
    >>> next(EpsilonGreedy(epsilon=0.5).plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.75, 'small': 0.25}

    The constants are those of GreenServ (epsilon-greedy). Auer, Cesa-Bianchi and Fischer, "Finite-time Analysis of the
    Multiarmed Bandit Problem" (Machine Learning 47, 2002).
    """

    kind: ClassVar[str] = "epsilon_greedy"

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        estimator: Estimator | None = None,
        epsilon: float = 1.0,
        decay: float = 0.98,
        min_epsilon: float = 0.01,
        *,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        half_life_s: float = HALF_LIFE_S,
    ) -> None:
        if not 0 <= min_epsilon <= epsilon <= 1:
            raise ValueError(f"0 <= min_epsilon={min_epsilon} <= epsilon={epsilon} <= 1 does not hold")
        if not 0 < decay <= 1:
            raise ValueError(f"decay={decay} must be above 0 and at most 1")
        averages = Ema(feature=None, half_life_s=half_life_s)
        rule = Epsilon(epsilon)
        super().__init__(estimator or averages, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.epsilon = epsilon
        self.decay = decay
        self.min_epsilon = min_epsilon

    def exploring(self, candidates: int) -> Rule:  # noqa: ARG002 - the parent's
        """Return the rule with the epsilon of now."""
        return Epsilon(max(self.min_epsilon, self.epsilon * self.decay**self.heard))
