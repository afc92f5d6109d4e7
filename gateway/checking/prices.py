"""Prices and context windows that are unknown, and what goes wrong for want of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.checking.finding import Finding
from routers.cheapest import Cheapest
from routers.types import Dialled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.checking.subject import Subject
    from gateway.config.files import Files
    from gateway.policy import Policies
    from gateway.route import Route


def unknown_models(files: Files, policies: Policies) -> Iterator[Finding]:
    """Yield the models of which price or context window is unknown."""
    for name, candidate in policies.models.items():
        if candidate.base != name:
            continue
        if candidate.price is None:
            yield Finding(files.document, ("models", name), "its price is unknown, so its cost will be too")
        if candidate.context_window is None:
            yield Finding(
                files.document, ("models", name), "its context window is unknown: no request is too long for it"
            )


def price_findings(files: Files, policies: Policies, subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Yield where a bound or a dial needs prices that are unknown."""
    for subject in subjects:
        for place, route in subject.routes():
            if unpriced := _unpriced(route):
                yield from _bounded(subject, place, route, unpriced)
                yield from _dialled(subject, place, route, unpriced)
    strangers = sorted(name for name, candidate in policies.models.items() if candidate.price is None)
    for name, caller in files.config.callers.items():
        if caller.max_cost_usd is not None and strangers:
            yield Finding(files.document, ("callers", name, "max_cost_usd"), _left_out(strangers))


def _bounded(subject: Subject, place: tuple[str | int, ...], route: Route, unpriced: list[str]) -> Iterator[Finding]:
    if route.bounds.max_cost_usd is not None:
        yield subject.finding((*place, "limits", "max_cost_usd"), _left_out(unpriced))


def _dialled(subject: Subject, place: tuple[str | int, ...], route: Route, unpriced: list[str]) -> Iterator[Finding]:
    names = ", ".join(unpriced)
    where = (*place, "router")
    if isinstance(route.router, Cheapest):
        yield subject.finding(where, f"goes by prices, and those of {names} are unknown: state `price` under `models`")
    elif isinstance(route.router, Dialled):
        what = (
            "no price is known, so that cost counts for nothing"
            if len(unpriced) == len(route.pool)
            else (f"the price of {names} is unknown, so that each counts as the dearest")
        )
        yield subject.finding(where, f"weighs quality against cost, but {what}: state `price` under `models`")


def _unpriced(route: Route) -> list[str]:
    return [candidate.model for candidate in route.pool if candidate.price is None]


def _left_out(models: Sequence[str]) -> str:
    return f"leaves out {', '.join(models)}: their price is unknown; state `price` under `models`"
