"""Requests that come in the same turn of the event loop, and are estimated together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.turn import turn
from routers.implementing import implements
from routers.types import Sociable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeGuard

    from routers.outlook import Prepared
    from routers.types import Candidate, Context, Router


def gregarious(router: Router) -> TypeGuard[Sociable]:
    """Tell whether a router's requests are estimated sooner together than one by one."""
    return implements(router, Sociable) and router.company is not None


class Gathering:
    """Has what routers expect of several requests computed at once.

    Nobody waits for company: a request lets those that are to be decided in this turn of the event loop come as far as
    it did, and then the first that goes on computes what is expected of all. A router decides on each as it would have
    alone. All of it belongs to one event loop.
    """

    def __init__(self) -> None:
        self._open: list[_Group] = []

    async def joined(self, router: Sociable, context: Context, candidates: Sequence[Candidate]) -> Router:
        """Return a router with what it expects of the candidates computed. Raises what its estimator does."""
        company = router.company
        group = next((one for one in self._open if one.company is company and one.candidates == candidates), None)
        if group is None:
            group = _Group(company, candidates)
            self._open.append(group)
        group.contexts.append(context)
        # A bare turn: the others of this one are in the loop's queue already, and go on in the order of their coming.
        try:
            await turn()
        finally:
            if group in self._open:
                self._open.remove(group)
        if group.prepared is None:
            # Where this raises, each of the others tries too, and is told by itself.
            group.prepared = router.expecting(group.contexts, candidates)
        return router.sharing(group.prepared)


@dataclass(slots=True, eq=False)
class _Group:
    """Requests whose routers share what they learned, to be decided among the same candidates."""

    company: object
    candidates: Sequence[Candidate]
    contexts: list[Context] = field(default_factory=list)
    prepared: Prepared | None = None
