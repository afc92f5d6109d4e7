"""Plans that may not make the calls that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.plans.best_of import BestOf
from routers.plans.panel import Panel
from routers.plans.probe_expand import ProbeExpand
from routers.plans.self_consistency import SelfConsistency
from routers.plans.tiers import Tiers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.checking.finding import Finding
    from gateway.checking.subject import Subject
    from gateway.route import Route
    from routers.types import Router


def plan_findings(subject: Subject) -> Iterator[Finding]:
    """Yield where a plan asks for more answers than it may make calls: it always ends before it has them."""
    for place, route in subject.routes():
        if route.several and route.max_calls < (asked := _asked(route)):
            yield subject.finding(
                (*place, "limits", "max_calls"),
                f"lets a plan make {route.max_calls} calls, and this one asks for {asked} answers: raise it to {asked} "
                "at least, and by those that a gate or a merge takes",
            )


def _asked(route: Route) -> int:
    """Return for how many answers a plan asks, where its pool has as many models; of any other, two."""
    of_models, of_one = _widths(route.router)
    return max(min(of_models, len(route.pool)), of_one)


def _widths(router: Router) -> tuple[int, int]:
    """Return how many models a plan asks, and how many times it asks one of them."""
    match router:
        case Panel(size=size) | BestOf(size=size) | Tiers(widest=size):
            return size, 1
        case SelfConsistency(samples=samples):
            return 1, samples
        case ProbeExpand():
            return 1, 3
        case _:
            return 2, 1
