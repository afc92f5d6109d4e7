"""How far a request may go: in calls, in money and in time. No plan passes them, whatever models answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.eligibility import Demand
    from routers.types import Call, Candidate

MILLION: Final = 1_000_000
NOTHING: Final = Decimal(0)
#: Of a request's time, the share that has to be left for a further call of its plan.
LEAST_SHARE: Final = 0.02
#: Seconds that are kept back to return what was heard, and the share of all that they may be.
KEPT_S, KEPT_SHARE = 0.1, 0.01


@dataclass(slots=True)
class Bounds:
    """Most calls of one request, and most USD that all of them may take together; None: any sum.

    `several` tells whether its plan may make more than one. Who is asked once is expected to cost no more, but may
    answer at length where the client lets him.
    """

    max_calls: int = 8
    max_cost_usd: Decimal | None = None
    several: bool = True


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls made up to now, and the USD that they took: at most, where that is not known."""

    calls: int = 0
    usd: Decimal = NOTHING

    def plus(self, calls: int, usd: Decimal) -> Spent:
        """Return what is spent after some more."""
        return replace(self, calls=self.calls + calls, usd=self.usd + usd)

    def room(self, bounds: Bounds) -> int:
        """Return how many calls may still be made."""
        return max(bounds.max_calls - self.calls, 0)

    def share_usd(self, bounds: Bounds, calls: int) -> Decimal | None:
        """Return what each of so many calls at once may take of what is left; None: any sum."""
        return None if bounds.max_cost_usd is None else max(bounds.max_cost_usd - self.usd, Decimal(0)) / calls


def hearing_s(total_s: float) -> float:
    """Return the seconds in which a plan hears answers out: a little is kept back to return one of them."""
    return total_s - min(KEPT_S, total_s * KEPT_SHARE)


def worst_usd(candidates: Sequence[Candidate], call: Call, demand: Demand) -> Decimal:
    """Return what a call may take at most by the prices that are known, as it is to be sent."""
    prompt, answers = _prompt_tokens(call, demand), 1 if call.bare else demand.answers
    return sum(
        (
            (prompt * one.price.input + _wanted(call, demand) * answers * one.price.output) / MILLION
            for one in candidates
            if one.price is not None
        ),
        Decimal(0),
    )


def _prompt_tokens(call: Call, demand: Demand) -> int:
    """Return about how many tokens a call's prompt has: a character of the plan's own words may be a token."""
    return (demand.prompt_tokens if call.conversation else 0) + sum(len(turn.content) for turn in call.turns)


def _wanted(call: Call, demand: Demand) -> int:
    limit: Any = call.parameters.get("max_tokens")
    return limit if isinstance(limit, int) else demand.most_completion_tokens // demand.answers
