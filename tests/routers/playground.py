"""A world with a known optimum, in which routers learn from what came of the models that they chose."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from routers.observations import Observations, Summing
from routers.sums import Sums
from routers.types import Candidate, Context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from routers.types import Router

MODELS = ("a", "b", "c", "d")
POOL = tuple(Candidate(model) for model in MODELS)
#: Chances of success: requests on the left want `a`, those on the right `b`; `c` is fair everywhere.
LEFT, RIGHT = (0.9, 0.2, 0.6, 0.1), (0.2, 0.9, 0.6, 0.1)
START = 1.7e9


@dataclass
class Playground:
    """Requests one a second, and what comes of each; `chances` gives those of success, by side."""

    seed: int
    chances: tuple[Sequence[float], Sequence[float]] = (LEFT, RIGHT)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def request(self) -> tuple[Context, int]:
        """Return a request and its side: its embedding points there, and its domain names it."""
        side = int(self.rng.integers(2))
        vector = 0.15 * self.rng.standard_normal(8)
        vector[0] += 1 - 2 * side
        embedding = (vector / np.linalg.norm(vector)).astype(np.float32)
        return Context("r", 100, embedding, {"domain": ("left", "right")[side]}), side

    def reward(self, model: str, side: int) -> float:
        """Draw what a model earns."""
        return float(self.rng.random() < self.chances[side][MODELS.index(model)])


def observed(rows: Sequence[tuple[Context, str, float, float, float]]) -> Observations:
    """Return rows of (context, action, reward, propensity, time) as observations without costs."""
    contexts, actions, rewards, propensities, times = zip(*rows, strict=True) if rows else ((),) * 5
    gap = np.full(len(rows), np.nan)
    columns = (np.array(column, np.float64) for column in (rewards, np.ones(len(rows)), propensities))
    return Observations(list(contexts), list(actions), *columns, gap, gap, gap, np.array(times, np.float64))


def play(
    router: Router, playground: Playground, rounds: int, *, pool: Callable[[int], Sequence[Candidate]] = lambda _: POOL
) -> np.ndarray:
    """Let a router decide, and learn every 20 rounds; return what is expected of each choice, `[rounds]`."""
    rng, total, waiting, worth = Random(playground.seed), Sums(), [], []
    for number in range(rounds):
        context, side = playground.request()
        call = next(router.plan(context, pool(number), rng))
        model = call.candidates[0].model
        worth.append(playground.chances[side][MODELS.index(model)])
        reward = playground.reward(model, side) if number % 10 else np.nan  # one of ten says nothing
        waiting.append((context, model, reward, call.propensities[model], START + number))
        if len(waiting) == 20:
            if isinstance(router, Summing):
                total += router.sums(observed(waiting))
                router.absorb(total, START + number)
            else:
                router.observe(observed(waiting))
            waiting = []
    return np.array(worth)
