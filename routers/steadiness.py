"""How steadily models answer: what a router may be told of them besides the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routers.types import Router

#: Seconds at which an answer counts as slow as can be.
SLOWEST_S: Final = 2.0


@runtime_checkable
class Minding(Protocol):
    """A router that minds how steadily models answer."""

    def minding(self, steadiness: Mapping[str, float]) -> Router:
        """Return this router knowing how steady models are: from 0 to 1, those left out being perfectly so.

        It shares what was learned.
        """
        ...


def steadiness(load: float, latency_s: float | None, *, available: bool) -> float:
    """Return how steady a model is: from 0 (all that it takes is taken, it is slow, and rests) to 1.

    `load` is the share of its places that are taken; an unknown latency counts as none.

    >>> round(steadiness(load=0.5, latency_s=1.0, available=True), 2)
    0.6

    The stability of Symphony-Coord (https://arxiv.org/abs/2602.00966), stage 1.
    """
    speed = 1 - min((latency_s or 0.0) / SLOWEST_S, 1.0)
    return 0.4 * (1 - min(load, 1.0)) + 0.4 * speed + 0.2 * available
