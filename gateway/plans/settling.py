"""Who is asked where a plan has come to no answer: somebody else, once; the plan itself is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import NoBackendAvailable, NoEligibleModel
from gateway.failures import OutOfBounds
from routers.types import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dispatch import Terms
    from gateway.errors import GatewayError
    from gateway.plans.heard import Heard


def standing_in(first: Call, heard: Sequence[Heard], terms: Terms) -> tuple[Call, Terms]:
    """Return the client's own request as a call to the likeliest candidate that has not been asked, and its terms.

    Those of the fallbacks that have not been asked stand in for it. Where all have been, the error that the last of
    them failed with is raised: `NoBackendAvailable`, or `NoEligibleModel` where none might be asked.
    """
    asked = {one.call.candidates[0].model for one in heard}
    fresh = [one for one in terms.pool if one.model not in asked and _may_stand_in(one.model, terms)]
    if not fresh:
        raise reason(heard)
    likeliest = max(fresh, key=lambda one: first.propensities.get(one.model, 0.0))
    certain = {**dict.fromkeys(first.propensities, 0.0), likeliest.model: 1.0}
    call = Call((likeliest,), certain, "instead", first.estimates, first.expected_cost_usd)
    return call, replace(terms, pool=tuple(fresh))


def reason(heard: Sequence[Heard]) -> GatewayError:
    """Return why nobody has answered: rather that endpoints failed than that a model might not be asked."""
    failures = [one.failure for one in heard if one.failure is not None]
    told = [one for one in failures if not isinstance(one, NoEligibleModel)]
    unread = NoBackendAvailable(OutOfBounds("the plan has come to no answer, and may ask nobody else", status=403))
    return next(reversed(told or failures), unread)


def _may_stand_in(model: str, terms: Terms) -> bool:
    return terms.fallback is None or model in terms.fallback
