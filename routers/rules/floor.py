"""A chance for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate, Rule


class Floor:
    """Mix another rule with the uniform one, so that no candidate's probability is below `floor`.

    With m candidates `p' = f + (1 - m f) p`, where f is `floor`, or 1/m in a pool so large that all
    could not have it. It is what makes logs of a deterministic rule usable: off-policy evaluation
    divides by these probabilities.

    >>> from routers.rules.greedy import Greedy
    >>> from routers.types import Estimate
    >>> Floor(Greedy(), floor=0.25).distribution([Estimate(0.2), Estimate(0.9)])
    [0.25, 0.75]

    Dudik, Langford and Li, "Doubly Robust Policy Evaluation and Learning" (https://arxiv.org/abs/1103.4601)
    on why logged propensities must be bounded away from zero.
    """

    def __init__(self, rule: Rule, floor: float = 0.02) -> None:
        if not 0 <= floor <= 1:
            raise ValueError(f"floor={floor} must be a probability")
        self.rule = rule
        self.floor = floor

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return the other rule's distribution, raised to the floor."""
        m = len(utilities)
        floor = min(self.floor, 1 / m)
        left = max(1 - m * floor, 0.0)
        return [floor + left * p for p in self.rule.distribution(utilities)]
