"""A chance for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate, Rule

#: The floor, unless said otherwise.
FLOOR: Final = 0.02
#: The share of the requests that floors give away together, unless said otherwise.
TOTAL: Final = 0.1
#: Those of routers that explore by themselves: all that they lack is a probability of what they are sure not to want.
SLIGHT_FLOOR: Final = 0.001
SLIGHT_TOTAL: Final = 0.0025


class Floor:
    """Mix another rule with the uniform one, so that no candidate's probability is below a floor.

    With m candidates `p' = f + (1 - m f) p`, where f is `floor`, or `total / m` in a pool so large that all together
    would have more than `total`: the share of the requests that is drawn evenly. It is what makes logs of a
    deterministic rule usable: off-policy evaluation divides by these probabilities.

    `total` is 0.1 by default, or `floor` where that is more.

    >>> from routers.rules.greedy import Greedy
    >>> from routers.types import Estimate
    >>> Floor(Greedy(), floor=0.25, total=0.5).distribution([Estimate(0.2), Estimate(0.9)])
    [0.25, 0.75]
    >>> Floor(Greedy(), floor=0.02, total=0.1).least(20)
    0.005

    Dudik, Langford and Li, "Doubly Robust Policy Evaluation and Learning" (https://arxiv.org/abs/1103.4601)
    on why logged propensities must be bounded away from zero.
    """

    def __init__(self, rule: Rule, floor: float = FLOOR, total: float | None = None) -> None:
        if not 0 <= floor <= 1:
            raise ValueError(f"floor={floor} must be a probability")
        if total is not None and not 0 <= total <= 1:
            raise ValueError(f"total={total} must be a probability")
        self.rule = rule
        self.floor = floor
        self.total = total

    def least(self, candidates: int) -> float:
        """Return the least probability of each of so many candidates."""
        return least_share(self.floor, self.total, candidates)

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return the other rule's distribution, raised to the floor."""
        m = len(utilities)
        floor = self.least(m)
        left = max(1 - m * floor, 0.0)
        return [floor + left * p for p in self.rule.distribution(utilities)]


def least_share(floor: float, total: float | None, candidates: int) -> float:
    """Return the floor of each of so many candidates, who together have no more than the total."""
    return min(floor, (max(TOTAL, floor) if total is None else total) / candidates)
