"""The best of late in each domain, by quality, cost and latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from routers.costs.running import Running
from routers.estimators.ema import Ema
from routers.fading import HALF_LIFE_S
from routers.rules.epsilon import Epsilon
from routers.summing import SummingRouter
from routers.utilities.preference import Preference

if TYPE_CHECKING:
    from collections.abc import Mapping


class EmaRouter(SummingRouter):
    """Weigh exponential averages of each model's reward, cost and latency, and now and then take any.

    Rewards and costs are averaged in each domain, latencies over all. Utilities are those of `preference`, between 0
    and 1; with probability `epsilon` any candidate is taken.

    Parameters: `feature` names the signal whose value is the domain (None: none); `shrinkage`, what a model's average
    counts for in each domain, in observations; `half_life_s`, after which an observation counts half; `weights` of
    `quality`, `cost` and `latency`, in any unit; `epsilon`; `quality_weight`, the dial.

    >>> from random import Random
    >>> from routers.types import Candidate, Context
    >>> pool = [Candidate("large"), Candidate("small")]
    >>> next(EmaRouter(epsilon=0.2).plan(Context("hello", 2), pool, Random(0))).propensities
    {'large': 0.9, 'small': 0.1}

    The router of ORCH (https://arxiv.org/abs/2602.01797).
    """

    kind: ClassVar[str] = "ema"

    def __init__(
        self,
        feature: str | None = "domain",
        shrinkage: float = 5.0,
        half_life_s: float = HALF_LIFE_S,
        weights: Mapping[str, float] | None = None,
        epsilon: float = 0.05,
        quality_weight: float = 0.7,
    ) -> None:
        if strangers := sorted(set(weights or ()) - {"quality", "cost", "latency"}):
            raise ValueError(f"weights are of quality, cost and latency, not of {strangers[0]!r}")
        super().__init__(
            Ema(feature, shrinkage, half_life_s),
            Epsilon(epsilon),
            quality_weight,
            Preference(**({"latency": 0.2} if weights is None else weights)),
            Running(feature, half_life_s),
            half_life_s=half_life_s,
        )
        self.feature = feature
        self.shrinkage = shrinkage
        self.weights = weights
        self.epsilon = epsilon
