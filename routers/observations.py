"""What is learned from live traffic: of each request, what came of the one model that answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self, cast, runtime_checkable

from routers.implementing import implements

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from routers.sums import Sums
    from routers.types import Context, Router

    Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observations:
    """Bandit feedback in columns, `n` rows: `actions[i]` answered `contexts[i]`, and nothing is known of the others.

    All columns are of length `n`. `rewards` are in [0, 1], NaN where nobody has said anything yet, which is not zero;
    `weights` in [0, 1] say how far a reward is trusted; `propensities` are the probabilities that the actions had when
    they were drawn, NaN where another was drawn than answered: such a row must not be weighed by one; `costs_usd`,
    `completion_tokens` and `latencies_s` are NaN where unknown; `times` are seconds since 1970.
    """

    contexts: Sequence[Context]
    actions: Sequence[str]
    rewards: Column
    weights: Column
    propensities: Column
    costs_usd: Column
    completion_tokens: Column
    latencies_s: Column
    times: Column

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.actions)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> Observations:
        """Return some rows, in the order given."""
        return replace(
            self,
            contexts=[self.contexts[row] for row in rows],
            actions=[self.actions[row] for row in rows],
            rewards=self.rewards[rows],
            weights=self.weights[rows],
            propensities=self.propensities[rows],
            costs_usd=self.costs_usd[rows],
            completion_tokens=self.completion_tokens[rows],
            latencies_s=self.latencies_s[rows],
            times=self.times[rows],
        )


@runtime_checkable
class Summing(Protocol):
    """A router, or a part of one, that learns online by sums of what it is told.

    So replicas learn as one, whatever the order in which they merge, and what was learned from a row can be taken back
    exactly.
    """

    def sums(self, observations: Observations) -> Sums:
        """Return what the rows add, which depends on each row alone: not on other rows, nor on what was learned."""
        ...

    def absorb(self, sums: Sums, now: float) -> None:
        """Replace what was learned online by these sums, as of `now` (seconds since 1970).

        What `learn` was told (a table to start from) stays. Not for the path of a request: it may take a second.
        """
        ...


@runtime_checkable
class Folding(Protocol):
    """A router, or a part of one, that holds sums by time, and needs less of it the older they are."""

    def folded(self, sums: Sums, now: float) -> Sums:
        """Return sums that say the same to `absorb` at `now` and later, in fewer parts.

        What is taken back after that may be taken from either; folded again it leaves no trace.
        """
        ...


@runtime_checkable
class Exploring(Protocol):
    """A router that tries candidates that do not look best."""

    def without_exploration(self) -> Router:
        """Return this router taking only what looks best. It shares what was learned, and copies nothing."""
        ...


@runtime_checkable
class Surrounding(Protocol):
    """A router whose first draw is another one's."""

    @property
    def router(self) -> Router:
        """Return the one that draws."""
        ...

    def around(self, router: Router) -> Self:
        """Return the same around another one. It shares what was learned."""
        ...


def explores(router: Router) -> bool:
    """Tell whether a router explores, or one within it."""
    return implements(router, Exploring) or (implements(router, Surrounding) and explores(router.router))


def unexplored(router: Router) -> Router | None:
    """Return a router that takes only what looks best, where this one explores, or one within it; None: none does."""
    if implements(router, Exploring):
        return router.without_exploration()
    if not implements(router, Surrounding) or (within := unexplored(router.router)) is None:
        return None
    return cast("Router", router.around(within))  # what is around a router is one
