"""Two candidates, and how sure one has to be that the dearer is worth it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from routers.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from routers.types import Prospects

#: What the other one of the two leads by where the probability is the threshold itself.
TIE = 1e-12
#: The utility of a candidate that is neither of the two, less its reward: far below both.
APART = -10.0


class Threshold:
    """Prefer the strong of two candidates where it is better with a probability of at least `threshold`.

        utility = P(strong better) - threshold for the strong, 0 for the weak

    Where no `threshold` is given the dial sets it, to `1 - quality_weight`; otherwise the dial changes nothing. Where
    the strong is expected to cost less than the weak, it has to be the weak that is better with that probability, so
    that turning the dial down never buys the dearer. Other candidates are preferred, the best first, only where
    neither of the two is there.

    Parameters: `strong` and `weak`, models by name, by default the dearest and the cheapest candidate; `threshold`
    in [0, 1]; `probability`, where that comes from: `normal` takes the estimates' means and standard errors for
    those of normal distributions, `share` takes the strong's part of the two means, which is what an estimator that
    learned from comparisons means.

    >>> from routers.types import Prospects
    >>> weak_and_strong = Prospects([Estimate(0.6, 0.3), Estimate(0.9, 0.4)], [1.0, 9.0], [float("nan")] * 2, 9.0)
    >>> [round(utility.mean, 4) for utility in Threshold(threshold=0.6).utilities(weak_and_strong, 0.5)]
    [0.0, 0.1257]

    RouteLLM (https://arxiv.org/abs/2406.18665).
    """

    def __init__(
        self,
        strong: str | None = None,
        weak: str | None = None,
        threshold: float | None = None,
        probability: str = "normal",
    ) -> None:
        if strong is not None and strong == weak:
            raise ValueError(f"strong and weak are both {strong!r}; name two models")
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"threshold={threshold} must be a probability")
        if probability not in PROBABILITIES:
            raise ValueError(f"probability={probability!r} must be one of {', '.join(PROBABILITIES)}")
        self.strong = strong
        self.weak = weak
        self.threshold = threshold
        self.probability = probability

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the options name."""
        return frozenset(model for model in (self.strong, self.weak) if model is not None)

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return what speaks for each candidate; without standard errors, which the probability has in it.

        Raises `ValueError` where a model is named and the prospects name none.
        """
        weak, strong = self._place(prospects, self.weak, 0), self._place(prospects, self.strong, -1)
        utilities = [Estimate(APART + reward.mean) for reward in prospects.rewards]
        for place in (weak, strong):
            if place is not None:
                utilities[place] = Estimate(0.0)
        if weak is not None and strong is not None and weak != strong:
            cheaper, dearer = (weak, strong) if _costs_less(prospects, weak, strong) else (strong, weak)
            utilities[dearer] = Estimate(self._lead(prospects, dearer, cheaper, quality_weight))
        return utilities

    def _place(self, prospects: Prospects, model: str | None, default: int) -> int | None:
        """Return where a model stands in the order of cost, or None where it does not."""
        n = len(prospects.rewards)
        if model is None:
            return default % n
        if not prospects.models:
            raise ValueError(f"the candidates have no names, so that {model!r} cannot be found")
        return prospects.models.index(model) if model in prospects.models else None

    def _lead(self, prospects: Prospects, dearer: int, cheaper: int, quality_weight: float) -> float:
        """Return by how much the dearer is ahead; never zero, so that no tie is left to the order."""
        better = PROBABILITIES[self.probability](prospects.rewards[dearer], prospects.rewards[cheaper])
        return better - (1 - quality_weight if self.threshold is None else self.threshold) or TIE


def _costs_less(prospects: Prospects, weak: int, strong: int) -> bool:
    """Tell whether the weak does not cost more than the strong."""
    return prospects.costs_usd[weak] <= prospects.costs_usd[strong]


def normal(one: Estimate, other: Estimate) -> float:
    """Return the probability that one is better, both being normal and independent."""
    difference, deviation = one.mean - other.mean, math.hypot(one.std, other.std)
    if not deviation:
        return 0.5 + 0.5 * ((difference > 0) - (difference < 0))
    return 0.5 * math.erfc(-difference / deviation / math.sqrt(2))


def share(one: Estimate, other: Estimate) -> float:
    """Return the part of one mean in the sum of both."""
    total = one.mean + other.mean
    return one.mean / total if total > 0 else 0.5


#: Ways to the probability that one candidate is better than another, by name.
PROBABILITIES: Mapping[str, Callable[[Estimate, Estimate], float]] = {"normal": normal, "share": share}
