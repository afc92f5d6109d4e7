"""A router that promises something, as whoever watches it sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from routers.conformal.pledge import Pledge


@runtime_checkable
class Promising(Protocol):
    """Answers at most a share `alpha` of requests worse than `reference` would, with confidence `1 - eta`.

    Setting another `pledge` changes what it does from the next request on.
    """

    reference: str
    alpha: float
    eta: float
    pledge: Pledge

    @property
    def stated(self) -> str:
        """Return the promise in a line, with what it rests on: every decision says so as its reason."""
        ...
