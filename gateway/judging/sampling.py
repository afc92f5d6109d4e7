"""Which answers are judged: each with a probability that is known, so that estimates from them can be unbiased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.judging.rules import JudgingRules

#: How much rarer than on average an answer may be judged, at most, and how much more often: what is divided by the
#: probability must not explode.
RAREST: Final = 0.1
MOST_OFTEN: Final = 10.0
#: Answers over which the mean variance is taken, about.
MEMORY: Final = 1000


class Variances:
    """The mean variance of the estimates of the models that answered lately, each answer counting less with time."""

    def __init__(self) -> None:
        self._mean = 0.0
        self._count = 0

    def relative(self, variance: float) -> float:
        """Return a variance in units of the mean of those before, and take it in; 1 where nothing is known."""
        mean, self._count = self._mean, min(self._count + 1, MEMORY)
        self._mean += (variance - self._mean) / self._count
        return variance / mean if mean > 0 else 1.0


def least_chance(rules: JudgingRules, policy: str) -> float:
    """Return the smallest probability that an answer under a policy has to be judged; 1 where none is."""
    share = rules.share_of(policy) * (1 if rules.weighing == "even" else RAREST)
    return share or 1.0


def chance(rules: JudgingRules, policy: str, relative: float) -> float:
    """Return the probability that an answer is judged.

    `relative` is the variance of what is expected of its model, in units of the mean: with weighing by uncertainty the
    probability grows with it, as what is learned from one more answer does (arXiv 2410.19133 picks labels by gain).
    """
    share = rules.share_of(policy)
    if rules.weighing == "even":
        return share
    return min(share * min(max(relative, RAREST), MOST_OFTEN), 1.0)
