"""One request under a promotion: who serves it, and what is noted of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from routers.sequential.evidence import CLUSTERS

if TYPE_CHECKING:
    from gateway.promotion.types import Rules, Standing
    from routers.sequential.weights import Side

#: Parts of the line that hashes are spread over.
_PARTS: Final = 2**64


@dataclass(frozen=True, slots=True)
class Trial:
    """Who serves a request, and whether the other version decides it too, for comparison.

    `cluster` is the same for all requests of a unit, and has nothing to do with whose side that is on.
    """

    rules: Rules
    standing: Standing
    side: Side
    cluster: int
    compared: bool


def trial_of(rules: Rules, standing: Standing, unit: str) -> Trial:
    """Return the trial of a request of that unit: who is on the candidate's side stays there as shares rise."""
    place, cluster, drawn = _hashed(f"{rules.version}\n{unit}")
    return Trial(
        rules=rules,
        standing=standing,
        side="candidate" if place < standing.share else "live",
        cluster=cluster,
        compared=standing.tested and drawn < rules.sample,
    )


def _hashed(text: str) -> tuple[float, int, float]:
    """Return three independent numbers of a text: a place on the line from 0 to 1, a cluster, and another place."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=24).digest()
    one, two, three = (int.from_bytes(digest[at : at + 8], "big") for at in (0, 8, 16))
    return one / _PARTS, two % CLUSTERS, three / _PARTS
