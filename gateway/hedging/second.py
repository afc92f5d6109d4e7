"""Whom a hedge asks, and whether the request may be sent once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.plans.bounds import worst_usd

if TYPE_CHECKING:
    from decimal import Decimal

    from gateway.dispatch import Dispatcher, Terms
    from gateway.eligibility import Demand
    from gateway.plans.bounds import Spent
    from gateway.plans.errand import Errand
    from routers.types import Call, Candidate


def stand_ins(dispatcher: Dispatcher, call: Call, terms: Terms, now: float) -> list[Candidate]:
    """Return who stands in for a call's candidate, from the first on who is elsewhere and would be asked at once."""
    first = call.candidates[0].model
    others = [one for one in dispatcher.ladder(call, terms) if one.model != first]
    places = _places(dispatcher, first)
    fit = (
        n
        for n, one in enumerate(others)
        if dispatcher.fleet.free(one, now) and places.isdisjoint(_places(dispatcher, one.model))
    )
    return others[next(fit, len(others)) :]


def within_bounds(second: Candidate, errand: Errand, terms: Terms, spent: Spent) -> bool:
    """Tell whether the request may be sent once more, and what is left beside the first call pays for that."""
    if terms.attempts == 1 or spent.room(terms.bounds) < 2:
        return False
    if terms.bounds.max_cost_usd is None:
        return True
    if errand.asked is None or second.price is None:
        return False  # what is left is not known before the first one has been sent it
    left = errand.left_usd
    if left is None:  # the first call is bounded by what is expected of it alone
        left = terms.bounds.max_cost_usd - spent.usd - worst_usd(errand.call.candidates, errand.call, terms.demand)
    return worst_usd([second], errand.call, terms.demand) <= left


def most_usd(call: Call, second: Candidate, demand: Demand) -> Decimal | None:
    """Return what whoever loses may cost at most; None where a price is unknown."""
    both = [call.candidates[0], second]
    if any(one.price is None for one in both):
        return None
    return max(worst_usd([one], call, demand) for one in both)


def _places(dispatcher: Dispatcher, model: str) -> frozenset[str]:
    return frozenset(endpoint.name for endpoint in dispatcher.backends[model].endpoints)
