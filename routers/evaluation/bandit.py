"""A table of outcomes as a stream of requests: of each, only what came of the chosen model is told.

How a router that learns online does on one pass, and how good it is when the pass is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.evaluation.replay import columns
from routers.observations import Observations, Summing
from routers.sums import Sums
from routers.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Outcomes, Prospects, Router

    Column = NDArray[np.float64]

#: What the mean cost of the model that scores best is worth, in rewards.
BEST_COST: Final = 0.15


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
class Pass:
    """What each request of one pass brought, `[n]`: with the model that was chosen, and with each model, `[n, m]`."""

    net: Column
    every: Column

    @property
    def beyond_best(self) -> float:
        """Return the mean net reward beyond that of the model that would have been best, always chosen."""
        return float(self.net.mean() - self.every.mean(axis=0).max())

    @property
    def regret(self) -> Column:
        """Return how much less it brought than that model, up to each request, `[n]`."""
        return np.cumsum(self.every[:, self.every.mean(axis=0).argmax()] - self.net)


def rate_of(table: Outcomes, candidates: Sequence[Candidate]) -> float:
    """Return rewards per USD, so that the mean cost of the model of the highest mean reward is worth `BEST_COST`."""
    rewards, costs = columns(table, candidates)
    return float(BEST_COST / costs[:, rewards.mean(axis=0).argmax()].mean())


def one_pass(
    router: Router, table: Outcomes, candidates: Sequence[Candidate], rate: float, seed: int, *, every: int = 1
) -> tuple[Pass, Sums]:
    """Route a table's requests in a random order, a second each; learn after every 500 and `every` from then on.

    A router begins with what it has learned before; it is told what came of its choices only. Returns what it earned,
    and the sums of what it was told. Raises `TypeError` for a router that does not learn by sums, and `MissingOutcome`.
    """
    if not isinstance(router, Summing):
        raise TypeError(f"{type(router).__name__} does not learn by sums")
    rewards, costs = columns(table, candidates)
    rng, contexts = Random(seed), table.contexts()  # noqa: S311 - no secret
    order = rng.sample(range(table.n), table.n)
    place = {candidate.model: i for i, candidate in enumerate(candidates)}
    total, waiting, chosen = Sums(), list[tuple[int, str, float]](), np.zeros(table.n, np.intp)
    for number, row in enumerate(order):
        call = next(router.plan(contexts[row], candidates, rng))
        model = call.candidates[0].model
        chosen[number] = place[model]
        waiting.append((row, model, call.propensities[model]))
        if number < _EAGER or len(waiting) >= every:
            told = _told(waiting, contexts, (rewards, costs), place, number)
            total += router.sums(told)
            router.absorb(total, float(number))
            waiting = []
    ordered = np.array(order)
    net = rewards[ordered] - rate * costs[ordered]
    return Pass(net[np.arange(len(order)), chosen], net), total


#: Requests at the beginning after each of which it learns: first impressions count most.
_EAGER: Final = 500


def _told(
    rows: Sequence[tuple[int, str, float]],
    contexts: Sequence[Context],
    outcomes: tuple[Column, Column],
    place: dict[str, int],
    now: int,
) -> Observations:
    rewards, costs = outcomes
    at = np.array([row for row, _, _ in rows]), np.array([place[model] for _, model, _ in rows])
    unknown = np.full(len(rows), np.nan)
    return Observations(
        contexts=[contexts[row] for row, _, _ in rows],
        actions=[model for _, model, _ in rows],
        rewards=rewards[at],
        weights=np.ones(len(rows)),
        propensities=np.array([chance for _, _, chance in rows]),
        costs_usd=costs[at],
        completion_tokens=unknown,
        latencies_s=unknown,
        times=np.full(len(rows), float(now)),
    )
