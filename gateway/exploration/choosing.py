"""A plan, begun with exploration or without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from routers.observations import explores, unexplored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from gateway.exploration.rules import Because
    from routers.types import Call, Candidate, Context, Plan, Router


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request may explore: `off` says why not. `left_usd` of the day's money is left, None: no bound."""

    off: Because | None = None
    left_usd: float | None = None


@dataclass(slots=True)
class Explored:
    """How a request was explored with: `off` says why it was not. `best` is the model that looked best.

    `extra_usd` is what the choice is expected to cost beyond it; None where no cost is known.
    """

    off: Because | None
    best: str
    chosen: str
    extra_usd: float | None
    left_usd: float | None

    @property
    def strayed(self) -> bool:
        """Tell whether another was drawn than the one that looked best."""
        return self.off is None and self.chosen != self.best

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "on": self.off is None,
            "because": self.off,
            "best": self.best,
            "extra_usd": self.extra_usd,
            "left_usd": self.left_usd,
        }


def begin(
    router: Router, allowance: Allowance, asked: tuple[Context, Sequence[Candidate]], rng: Random
) -> tuple[Plan, Call, Explored | None]:
    """Return a plan, its first call, and how it explored: None for a router that does not.

    A request whose most expensive draw would cost more than is left does not explore: what is logged is what was drawn
    from, which it would not be if draws were taken back. Raises `StopIteration` where the router refuses.
    """
    context, candidates = asked
    if not explores(router):
        plan = router.plan(context, candidates, rng)
        return plan, next(plan), None
    off, left = allowance.off, allowance.left_usd
    plan = (unexplored(router) or router if off else router).plan(context, candidates, rng)
    call = next(plan)
    if off is None and left is not None:
        most = most_extra_usd(call)
        off = "cost_unknown" if most is None else "budget" if most > left else None
        if off is not None:
            plan = (unexplored(router) or router).plan(context, candidates, rng)
            call = next(plan)
    best, chosen = best_of(call), call.candidates[0].model
    # Several that are asked at once are not drawn: who looks best is among them, or was never to be asked.
    if len(call.candidates) > 1 and any(candidate.model != chosen for candidate in call.candidates):
        chosen = best
    return plan, call, Explored(off, best, chosen, extra_usd(call, chosen), left)


def best_of(call: Call) -> str:
    """Return the model that looked best: the likeliest, where the router does not say."""
    return call.best or max(call.propensities, key=lambda model: call.propensities[model])


def extra_usd(call: Call, model: str) -> float | None:
    """Return what a model is expected to cost beyond the one that looked best; None where no cost is known.

    One whose cost is unknown counts as the dearest one known, as it does where costs are weighed.
    """
    known = call.expected_cost_usd
    if not known:
        return None
    dearest = max(known.values())
    return max(known.get(model, dearest) - known.get(best_of(call), dearest), 0.0)


def most_extra_usd(call: Call) -> float | None:
    """Return what the draw could have cost at most beyond the one that looked best; None where no cost is known.

    A pool of one costs nothing beyond itself, whether that is known or not.
    """
    possible = [model for model, chance in call.propensities.items() if chance > 0]
    extras = [0.0 if model == best_of(call) else extra_usd(call, model) for model in possible]
    known = [extra for extra in extras if extra is not None]
    return max(known) if len(known) == len(extras) else None
