"""What a policy says about a request: who may answer and on what terms, or that nobody does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.changes import UNCHANGED, Changes
from gateway.constraints import UNBOUNDED, Constraints
from gateway.plans.bounds import Bounds
from routers.fixed import Fixed
from routers.implementing import implements
from routers.plans.around import Around
from routers.types import Naming

if TYPE_CHECKING:
    from providers.types import Timeouts
    from routers.types import Candidate, Router


@dataclass(frozen=True, slots=True)
class Route:
    """A pool, a router over it, what to do when its choice fails, and what is changed in the request.

    `attempts` of None means: each endpoint of each candidate once, and `repeats` of them again. `fallback` of None
    means: the rest of the pool, likeliest first.
    """

    pool: tuple[Candidate, ...]
    router: Router
    fallback: tuple[str, ...] | None
    timeouts: Timeouts
    attempts: int | None = None
    repeats: int = 1
    bounds: Constraints = UNBOUNDED
    changes: Changes = UNCHANGED
    max_calls: int = 8
    #: Whether candidates are left out whose effort is another than the request itself asks for.
    keeps_effort: bool = True
    #: How far a plan may go, where nobody bounds what the request may cost.
    reach: Bounds = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Find out how far a plan may go, which every request asks for."""
        several = isinstance(self.router, Around) and self.router.several
        object.__setattr__(self, "reach", Bounds(self.max_calls, None, several))

    @property
    def several(self) -> bool:
        """Tell whether a request may take several calls."""
        return self.reach.several

    @property
    def most_calls(self) -> int:
        """Return how many calls a request may take by its plan."""
        return self.max_calls if self.reach.several else 1

    def standing_in(self, eligible: tuple[Candidate, ...]) -> Router | None:
        """Return what takes the first fallback, where none of the models that the router names is eligible."""
        if len(eligible) == len(self.pool) or not implements(self.router, Naming):
            return None
        pool, named = [candidate.model for candidate in eligible], self.router.named
        if not named or not named.isdisjoint(pool):
            return None
        names = pool if self.fallback is None else [name for name in self.fallback if name in pool]
        return Fixed(names[0]) if names else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody answers; the client is told why."""

    message: str


def only(candidate: Candidate, timeouts: Timeouts, bounds: Constraints = UNBOUNDED) -> Route:
    """Return the route to one model, which nobody stands in for."""
    return Route((candidate,), Fixed(candidate.model), (), timeouts, bounds=bounds)
