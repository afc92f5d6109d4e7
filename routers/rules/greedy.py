"""The best, always."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate


class Greedy:
    """Take the candidate of the greatest expected utility, the first of equals.

    Used alone it leaves logs from which nothing else can be evaluated; give it a `Floor`.

    >>> from routers.types import Estimate
    >>> Greedy().distribution([Estimate(0.2), Estimate(0.9), Estimate(0.9)])
    [0.0, 1.0, 0.0]

    Rule R1 of RouterBench (https://arxiv.org/abs/2403.12031), once the price is subtracted.
    """

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return one for the best, zero for the others."""
        best = max(range(len(utilities)), key=lambda i: utilities[i].mean)
        return [float(i == best) for i in range(len(utilities))]
