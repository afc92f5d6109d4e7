"""When a session changes its model: only where more is gained than the prompt cache that is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.types import Estimate


def stay(distribution: Sequence[float], utilities: Sequence[Estimate], incumbent: int) -> list[float]:
    """Return the distribution with the share of all that are worth no more than the incumbent given to it.

    `incumbent` is its index. The utilities already count what its warm cache saves, so that whoever is worth more
    is worth the change; chance alone never changes the model within a session.
    """
    worth = utilities[incumbent].mean
    kept = [
        0.0 if i == incumbent or utility.mean <= worth else share
        for i, (share, utility) in enumerate(zip(distribution, utilities, strict=True))
    ]
    kept[incumbent] = max(0.0, 1.0 - sum(kept))
    return kept
