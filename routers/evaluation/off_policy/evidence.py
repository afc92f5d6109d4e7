"""Whether a log has enough evidence for an estimate to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routers.evaluation.off_policy.overlap import Overlap


@dataclass(frozen=True, slots=True)
class Demands:
    """What an estimate must have behind it: the effective number of rows, and the share that may lack a probability."""

    least_effective: float = 100.0
    most_unsupported: float = 0.01


def objections(found: Overlap, demands: Demands) -> Iterator[str]:
    """Yield the reasons for which an estimate is refused; none if there is enough evidence."""
    if found.unsupported > demands.most_unsupported:
        yield (
            f"{found.unsupported:.0%} of the traffic goes where no probability was logged "
            f"(at most {demands.most_unsupported:.0%} may)"
        )
    if not found.observed:
        yield "nothing was observed"
    elif found.effective < demands.least_effective:
        yield (
            f"not enough data: {found.observed} requests were observed, which count for {found.effective:.0f} drawn by "
            f"the policy itself ({demands.least_effective:g} are needed)"
        )
