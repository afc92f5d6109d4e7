"""Whether the model that answered a session last is kept, and how tightly."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from routers.fixed import Fixed
from routers.implementing import implements
from routers.types import Incumbent, Staying

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.policy import Stickiness
    from gateway.sessions import Last
    from routers.types import Candidate, Feature, Router

MILLION = Decimal(1_000_000)


class Grip(NamedTuple):
    """Who answered last, and why that counts: in a loop of tools nobody else may answer, in a session others may."""

    why: Literal["tool_loop", "session"]
    incumbent: Incumbent


def grip(
    stickiness: Stickiness,
    features: Mapping[str, Feature],
    last: Last | None,
    candidates: Sequence[Candidate],
    now: float,
) -> Grip | None:
    """Return what binds a request to who answered last; None where nothing does, or that model is no candidate."""
    if last is None:
        return None
    if (incumbent := next((one for one in candidates if one.model == last.model), None)) is None:
        return None
    if stickiness.tool_loop and features.get("agent.loop_open") is True:
        return Grip("tool_loop", Incumbent(incumbent.model))
    warm = now - last.at <= stickiness.idle_s
    if stickiness.session and warm and features.get("session.continues") is True:
        return Grip("session", Incumbent(incumbent.model, _saved_usd(incumbent, features)))
    return None


def held(router: Router, tie: Grip | None) -> Router:
    """Return the router that respects a grip: within a session, one that cannot tell what a change gains stays."""
    if tie is None:
        return router
    if tie.why == "session" and implements(router, Staying):
        return router.staying_with(tie.incumbent)
    return Fixed(tie.incumbent.model)


def _saved_usd(candidate: Candidate, features: Mapping[str, Feature]) -> float:
    """Return what the candidate's prompt cache saves on the history of a session; 0 where that is unknown."""
    history, price = features.get("history_tokens"), candidate.price
    if not isinstance(history, float) or price is None or price.cached_input is None:
        return 0.0
    return float(Decimal(history) * max(price.input - price.cached_input, Decimal(0)) / MILLION)
