"""What a worker does of a replay as a bandit: one pass from one seed, or what full information would have come to."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.evaluation.names import seeded
from routers.estimating import EstimatingRouter
from routers.evaluation.bandit import Net, Pass, choices, play
from routers.evaluation.change import worlds_of
from routers.evaluation.pupil import Refitted, Summed
from routers.evaluation.replay import columns
from routers.evaluation.stream import Stream
from routers.observations import Summing
from routers.prefilter import Prefilter
from routers.registry import build_router

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gateway.evaluation.online.market import Market
    from gateway.evaluation.online.settings import Online
    from routers.evaluation.change import World
    from routers.types import Outcomes, Router

    Column = NDArray[np.float64]
    Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Job:
    """A router to replay on a table. All of it can be sent to another process."""

    table: int
    router: str
    spec: Mapping[str, Any]
    market: Market
    online: Online
    seed: int


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one pass: which rows of the table it went through, and the final policy on the rows kept.

    `summed` tells whether the router learns by sums, or is fitted anew. `final` is the mean net reward.
    """

    table: int
    router: str
    seed: int
    order: Places
    passed: Pass
    summed: bool
    final: float


@dataclass(frozen=True, slots=True)
class Informed:
    """What the same router would choose that is told everything: `[worlds, n]`, of each row of the stream's table.

    `final` is the mean net reward on the rows kept, when it is told the whole stream.
    """

    table: int
    router: str
    chosen: Places
    final: float


def played(job: Job) -> Played:
    """Let the router go through the table's rows once, in an order of its seed's, and judge it when it is through."""
    rng = Random(job.seed)  # noqa: S311 - no secret
    market, online = job.market, job.online
    order = rng.sample(range(market.stream.n), market.stream.n)
    warm = round(online.warm * len(order))
    world = market.world(online.changes)
    told = world.seen(market.stream.take(order[:warm])) if warm else None
    stream = Stream.of(market.stream.take(order[warm:]), world, online.changes, online.interval_s)

    def make() -> Router:
        return _taught(seeded(job.spec, job.seed), market.rate, world, told)

    router = make()
    pupil = Summed(router) if isinstance(router, Summing) else Refitted(make, market.stream.models)
    passed = play(pupil, stream, market.rate, online.telling, rng)
    final = _worth(pupil.router, market, stream.worlds[-1][1])
    return Played(job.table, job.router, job.seed, np.array(order[warm:]), passed, isinstance(pupil, Summed), final)


def informed(job: Job) -> Informed:
    """Tell the router everything, world by world: of one half of the rows, for what it chooses of the other."""
    market = job.market
    spec, rate, n = seeded(job.spec, job.seed), market.rate, market.stream.n
    worlds = [world for _, world in worlds_of(market.world(job.online.changes), job.online.changes, n)]
    halves, chosen = np.random.default_rng(job.seed).permutation(n) % 2, np.zeros((len(worlds), n), np.intp)
    for number, world in enumerate(worlds):
        seen = world.seen(market.stream)
        for part in (0, 1):
            rows, others = np.flatnonzero(halves == part), np.flatnonzero(halves != part)
            router = _taught(spec, rate, world, seen.take(others))
            chosen[number, rows] = choices(router, seen.take(rows).contexts(), world.pool(), world.models)
    final = _worth(_taught(spec, rate, worlds[-1], worlds[-1].seen(market.stream)), market, worlds[-1])
    return Informed(job.table, job.router, chosen, final)


def _taught(spec: Mapping[str, Any], rate: float, world: World, told: Outcomes | None) -> Router:
    """Return a router that counts money at a rate, and has learned what is told of the models that there are."""
    router = build_router(spec)
    estimating = router.router if isinstance(router, Prefilter) else router
    if isinstance(estimating, EstimatingRouter):
        estimating.utility = Net(rate)
    if told is not None:
        router.learn(told.of_models([model for model in told.models if model in world.present]))
    return router


def _worth(router: Router, market: Market, world: World) -> float:
    """Return the mean net reward of what looks best to a router, on the rows kept, in a world."""
    kept = world.seen(market.kept)
    rewards, costs = columns(kept, world.candidates)
    chosen = choices(router, kept.contexts(), world.pool(), world.models)
    rows = np.arange(kept.n)
    return float((rewards[rows, chosen] - market.rate * costs[rows, chosen]).mean())
