"""How the models of a pool do just now, for a router that minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.implementing import implements
from routers.steadiness import Minding, steadiness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.deciding import World
    from routers.types import Candidate, Router


def minding(router: Router, pool: Sequence[Candidate], awake: Sequence[Candidate], world: World, now: float) -> Router:
    """Return a router that knows how steady the models of a pool are, if it minds; `awake` would be asked at once."""
    if not implements(router, Minding):
        return router
    lately = world.latencies.lately(now)
    return router.minding(
        {one.model: steadiness(world.fleet.load(one), lately.get(one.model), available=one in awake) for one in pool}
    )
