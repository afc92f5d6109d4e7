"""Requests in the order in which they come, and what each model would earn of each, in a world that may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.change import worlds_of
from routers.evaluation.replay import columns
from routers.observations import Observations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.evaluation.change import Change, World
    from routers.types import Context, Outcomes

    Column = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stream:
    """`n` requests and what each of `m` models earns, costs and writes, `[n, m]`, whoever is chosen.

    `worlds` begin at the requests of their numbers. `interval_s` is the time from one request to the next.
    """

    contexts: Sequence[Context]
    models: tuple[str, ...]
    rewards: Column
    costs_usd: Column
    completion_tokens: Column
    worlds: tuple[tuple[int, World], ...]
    interval_s: float = 1.0

    @classmethod
    def of(cls, table: Outcomes, world: World, changes: Sequence[Change], interval_s: float = 1.0) -> Stream:
        """Return a table's rows as a stream, in their order; it begins in a world.

        Raises `MissingOutcome` where an outcome is missing.
        """
        worlds = worlds_of(world, changes, table.n)
        ends = [start for start, _ in worlds[1:]] + [table.n]
        parts = [one.seen(table.take(range(start, end))) for (start, one), end in zip(worlds, ends, strict=True)]
        known = [columns(part, world.candidates) for part in parts]
        return cls(
            contexts=table.contexts(),
            models=world.models,
            rewards=np.concatenate([rewards for rewards, _ in known]),
            costs_usd=np.concatenate([costs for _, costs in known]),
            completion_tokens=np.concatenate([part.completion_tokens for part in parts]).astype(np.float64),
            worlds=tuple(worlds),
            interval_s=interval_s,
        )

    @property
    def n(self) -> int:
        """Return the number of requests."""
        return len(self.contexts)

    @property
    def always(self) -> tuple[str, ...]:
        """Return the models that may be asked from the first request to the last."""
        return tuple(model for model in self.models if all(model in world.present for _, world in self.worlds))

    def net(self, rate: float) -> Column:
        """Return each model's reward less its cost, at `rate` rewards per USD, `[n, m]`."""
        return self.rewards - rate * self.costs_usd

    def told(self, rows: NDArray[np.intp], chosen: NDArray[np.intp], chances: Column, rated: Flags) -> Observations:
        """Return what is told of some requests.

        `chosen` and `chances` are the models that answered and their probabilities, `rated` whether anybody says how
        good the answer was; all are of the length of `rows`.
        """
        unknown = np.full(len(rows), np.nan)
        return Observations(
            contexts=[self.contexts[row] for row in rows.tolist()],
            actions=[self.models[column] for column in chosen.tolist()],
            rewards=np.where(rated, self.rewards[rows, chosen], np.nan),
            weights=np.ones(len(rows)),
            propensities=chances,
            costs_usd=self.costs_usd[rows, chosen],
            completion_tokens=self.completion_tokens[rows, chosen],
            latencies_s=unknown,
            times=rows.astype(np.float64) * self.interval_s,
        )
