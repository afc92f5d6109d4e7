"""The better it looks, the likelier: learned online."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.estimators.ema import Ema
from routers.fading import HALF_LIFE_S
from routers.rules.floor import FLOOR, Floor
from routers.rules.softmax import Softmax
from routers.summing import SummingRouter

if TYPE_CHECKING:
    from routers.types import Costs, Estimator, Utility


class Boltzmann(SummingRouter):
    """Take each candidate with a probability in proportion to `exp(utility / temperature)`: the rule `softmax`, online.

    What looks good is told by an estimator that learns online by sums; by default by each model's average.

    Parameters: `estimator`; `temperature`; `floor`, the least probability of every candidate (0: none);
    `quality_weight`, `utility` and `costs`, as of `estimating`, but costs are learned online too; `half_life_s`, after
    which an observation counts half.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("large"), Candidate("small")]
    >>> next(Boltzmann().plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.5, 'small': 0.5}

    Sutton and Barto, "Reinforcement Learning", section 2.8.
    """

    kind: ClassVar[str] = "softmax"

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        estimator: Estimator | None = None,
        temperature: float = 0.05,
        floor: float = FLOOR,
        quality_weight: float = 0.7,
        utility: Utility | None = None,
        costs: Costs | None = None,
        *,
        half_life_s: float = HALF_LIFE_S,
    ) -> None:
        averages = Ema(feature=None, half_life_s=half_life_s)
        rule = Floor(Softmax(temperature), floor)
        super().__init__(estimator or averages, rule, quality_weight, utility, costs, half_life_s=half_life_s)
        self.temperature = temperature
        self.floor = floor
