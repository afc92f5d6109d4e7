"""The dial between price and quality, as clients turn it: `auto:0.3`, `auto:cheap`, a header, a member of the body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.errors import RequestError
from routers.implementing import implements
from routers.types import Dialled

if TYPE_CHECKING:
    from gateway.policy import Policy
    from routers.types import Router

#: The dial by name: its two ends.
DIAL = {"cheap": 0.0, "best": 1.0}
#: Where the dial counts as being, at most, when money is scarce.
DEAREST = 0.99
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+")


def read_dial(dial: str, policy: str) -> float:
    """Return a dial as a number in [0, 1]. Raises `RequestError` for anything else."""
    weight = DIAL.get(dial, float(dial) if _NUMBER.fullmatch(dial) else None)
    if weight is None or weight > 1:
        raise RequestError(
            f"The dial {dial!r} of policy {policy!r} is none: take 'cheap', 'best', or a number from 0 "
            "(cheapest) to 1 (best).",
            param="model",
            code="invalid_dial",
        )
    return weight


def turned(router: Router, weight: float | None, policy: Policy, dial: tuple[float, float]) -> Router:
    """Return a route's router with the dial at `weight`; a router without a dial, of a policy that has one, as it is.

    Raises `RequestError` where the policy has no dial at all, or the weight is outside of the bounds `dial`.
    """
    if weight is None:
        return router
    low, high = dial
    if not low <= weight <= high:
        raise RequestError(
            f"The policy {policy.name!r} lets the dial be turned from {low:g} to {high:g}, not to {weight:g}.",
            param="model",
            code="invalid_dial",
        )
    if implements(router, Dialled):
        return router.with_quality_weight(weight)
    if not policy.dialled:
        raise RequestError(
            f"The policy {policy.name!r} has no dial: its router does not weigh quality against cost.",
            param="model",
            code="invalid_dial",
        )
    return router


def pressed(router: Router, price: float) -> Router:
    """Return a route's router where money is `price` times as dear; one without a dial as it is.

    The dial `w` makes money's price (1 - w) / w; of a dial at 1, where it has none, a hundredth is taken.
    """
    if price <= 1 or not implements(router, Dialled):
        return router
    weight = min(router.quality_weight, DEAREST)
    return router.with_quality_weight(weight / (weight + price * (1 - weight)) if weight else 0.0)
