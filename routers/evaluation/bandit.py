"""A table of outcomes as a stream of requests: of each, only what came of the chosen model is told.

How a router that learns online does on one pass, and how good it is when the pass is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.evaluation.change import World
from routers.evaluation.pupil import Summed
from routers.evaluation.replay import columns
from routers.evaluation.stream import Stream
from routers.observations import Exploring
from routers.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.evaluation.pupil import Pupil
    from routers.sums import Sums
    from routers.types import Call, Candidate, Context, Outcomes, Prospects, Router

    Column = NDArray[np.float64]
    Places = NDArray[np.intp]

#: What the mean cost of the model that scores best is worth, in rewards.
BEST_COST: Final = 0.15
#: Requests at the beginning after each of which it learns, unless said otherwise: first impressions count most.
EAGER: Final = 500
#: How many requests it learns from at once after that.
BATCH: Final = 20


@dataclass(frozen=True, slots=True)
class Net:
    """A utility that counts money at a fixed rate: the reward, less `rate` per USD."""

    rate: float

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return what is left of each reward; the dial changes nothing."""
        del quality_weight
        pairs = zip(prospects.rewards, prospects.costs_usd, strict=True)
        return [Estimate(reward.mean - self.rate * usd, reward.std) for reward, usd in pairs]


@dataclass(frozen=True, slots=True)
class Telling:
    """When a router is told what came of its choices.

    It learns after each of `eager` requests, then from every `batch` of them. What came of a request is told `delay`
    requests later; of a share `missing` nobody ever says how good it was.
    """

    batch: int = BATCH
    eager: int = EAGER
    delay: int = 0
    missing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.batch < 1 or self.eager < 0 or self.delay < 0 or not 0 <= self.missing < 1:
            raise ValueError(f"{self} must have a batch of at least 1, no negative delay, and missing in [0, 1)")


@dataclass(frozen=True, slots=True)
class Pass:
    """What each request of one pass brought, `[n]`: with the model that was chosen, and with each model, `[n, m]`.

    `expected` is what the probabilities come to from which the model was drawn. `unaware` is the same of the router as
    it was when the world last changed, had it learned nothing since; NaN before the first change. `lasting` says which
    models could be asked all the time.
    """

    net: Column
    every: Column
    expected: Column
    unaware: Column
    lasting: NDArray[np.bool_]

    @property
    def best(self) -> int:
        """Return which model would have been best, always chosen. Raises `ValueError` where none was always there."""
        if not self.lasting.any():
            raise ValueError("no model can be asked from the first request to the last: none is the best fixed one")
        return int(np.where(self.lasting, self.every.mean(axis=0), -np.inf).argmax())

    @property
    def beyond_best(self) -> float:
        """Return the mean net reward beyond that of the model that would have been best, always chosen."""
        return float(self.net.mean() - self.every[:, self.best].mean())

    @property
    def regret(self) -> Column:
        """Return how much less it brought than that model, up to each request, `[n]`."""
        return np.cumsum(self.every[:, self.best] - self.net)


def rate_of(table: Outcomes, candidates: Sequence[Candidate], worth: float = BEST_COST) -> float:
    """Return rewards per USD, so that the mean cost of the model of the highest mean reward is `worth` so much."""
    rewards, costs = columns(table, candidates)
    return float(worth / costs[:, rewards.mean(axis=0).argmax()].mean())


def one_pass(
    router: Router, table: Outcomes, candidates: Sequence[Candidate], rate: float, seed: int, *, every: int = BATCH
) -> tuple[Pass, Sums]:
    """Route a table's requests in a random order, a second each; learn after every 500 and `every` from then on.

    A router begins with what it has learned before; it is told what came of its choices only. Returns what it earned,
    and the sums of what it was told. Raises `TypeError` for a router that does not learn by sums, and `MissingOutcome`.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    order = rng.sample(range(table.n), table.n)
    models = [candidate.model for candidate in candidates]
    stream = Stream.of(table.of_models(models).take(order), World.before(candidates, ()), ())
    pupil = Summed(router)
    return play(pupil, stream, rate, Telling(every), rng), pupil.total


def play(pupil: Pupil, stream: Stream, rate: float, telling: Telling, rng: Random) -> Pass:
    """Let a router decide a stream, being told of its choices as `telling` says; return what each request brought."""
    net, place = stream.net(rate), {model: i for i, model in enumerate(stream.models)}
    chosen, chances = np.zeros(stream.n, np.intp), np.ones(stream.n)
    expected, unaware = np.zeros(stream.n), np.full(stream.n, np.nan)
    lost = round(telling.missing * stream.n)
    rated = ~np.isin(np.arange(stream.n), rng.sample(range(stream.n), lost) if lost else [])
    worlds, told = dict(stream.worlds), 0
    for row, context in enumerate(stream.contexts):
        if row in worlds:
            pool = worlds[row].pool()
            if row:
                unaware[row:] = _expected(pupil.router, stream, pool, net, row)
        call = next(pupil.router.plan(context, pool, rng))
        model = call.candidates[0].model
        chosen[row], chances[row] = place[model], call.propensities[model]
        expected[row] = _worth(call, net[row], place)
        known = row + 1 - telling.delay
        if known > told and (row < telling.eager or known - told >= telling.batch or row == stream.n - 1):
            rows = np.arange(told, known)
            seen = stream.told(rows, chosen[rows], chances[rows], rated[rows])
            pupil.tell(seen, row * stream.interval_s)
            told = known
    lasting = np.array([model in stream.always for model in stream.models])
    return Pass(net[np.arange(stream.n), chosen], net, expected, unaware, lasting)


def choices(router: Router, contexts: Sequence[Context], pool: Sequence[Candidate], models: Sequence[str]) -> Places:
    """Return the place among `models` of what looks best to a router for each request, `[n]`."""
    greedy = router.without_exploration() if isinstance(router, Exploring) else router
    rng, place = Random(0), {model: i for i, model in enumerate(models)}  # noqa: S311 - no secret
    calls = [next(greedy.plan(context, pool, rng)) for context in contexts]
    return np.array([place[call.candidates[0].model] for call in calls], np.intp)


def _expected(router: Router, stream: Stream, pool: Sequence[Candidate], net: Column, start: int) -> Column:
    """Return what the router's probabilities come to for the requests from `start` on."""
    place, rng = {model: i for i, model in enumerate(stream.models)}, Random(0)  # noqa: S311 - no secret
    rows = range(start, stream.n)
    return np.array([_worth(next(router.plan(stream.contexts[row], pool, rng)), net[row], place) for row in rows])


def _worth(call: Call, net: Column, place: Mapping[str, int]) -> float:
    return sum(chance * float(net[place[model]]) for model, chance in call.propensities.items())
