"""A table made ready to be replayed as a bandit: a stream, the rows that are kept, and what money is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.config.loader import did_you_mean
from gateway.evaluation.problem import EvaluationError
from routers.costs.mean import DEFAULT_COMPLETION_TOKENS
from routers.evaluation.bandit import rate_of
from routers.evaluation.change import World, worlds_of
from routers.types import Candidate, Price

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.evaluation.bench import Bench
    from gateway.evaluation.online.settings import Online
    from routers.evaluation.change import Change
    from routers.types import Outcomes

_MILLION: Final = 1e6


@dataclass(frozen=True, slots=True)
class Market:
    """What there is to earn: `stream` is what routers are told of, `kept` what their final policies are judged by.

    In neither is an outcome missing. `candidates` are the models, with the prices that routers are told of, if any.
    `rate` is rewards per USD. `incomplete` rows were left out of the stream.
    """

    stream: Outcomes
    kept: Outcomes
    candidates: tuple[Candidate, ...]
    rate: float
    incomplete: int

    @classmethod
    def of(cls, bench: Bench, online: Online) -> Market:
        """Return the market of a table: its training fold is the stream, its test fold is kept.

        Raises `EvaluationError` where the table does not suit the settings.
        """
        train = bench.folds.train
        complete = np.flatnonzero(~np.isnan(train.rewards + train.costs_usd).any(axis=1))
        stream, kept = train.take(complete), bench.folds.test
        if stream.n * (1 - online.warm) < 2:
            raise EvaluationError(f"--online: {bench.table.path} has {stream.n} complete rows to go through: too few")
        candidates = tuple(Candidate(model) for model in stream.models)
        rate = rate_of(stream, candidates, online.price) if (stream.costs_usd > 0).any() else 0.0
        market = cls(stream, kept, candidates, rate, train.n - stream.n)
        market = market.priced() if online.known_prices else market
        _check(bench, market, online.changes)
        return market

    def world(self, changes: Sequence[Change]) -> World:
        """Return the world before all changes."""
        return World.before(self.candidates, changes)

    def priced(self) -> Market:
        """Return the market in which all models have one price for a token, and differ in how much they write.

        So costs are what the table says, and a router that is told of prices knows at once when one changes.
        """
        unit_usd = float(self.stream.costs_usd.mean(dtype=np.float64)) / DEFAULT_COMPLETION_TOKENS * _MILLION
        if not unit_usd:
            return self
        price = Price(Decimal(0), Decimal(unit_usd))
        stream, kept = (
            replace(table, completion_tokens=table.costs_usd / np.float32(unit_usd / _MILLION))
            for table in (self.stream, self.kept)
        )
        return replace(self, stream=stream, kept=kept, candidates=tuple(Candidate(m, price) for m in stream.models))


def _check(bench: Bench, market: Market, changes: Sequence[Change]) -> None:
    """Raise `EvaluationError` for changes of models that there are not, or that leave none to compare with."""
    for change in changes:
        for model in set(change.models) - set(market.stream.models):
            hint = did_you_mean(model, market.stream.models)
            raise EvaluationError(f"--change: {change}: {bench.table.path} has no model {model!r}; {hint}")
    worlds = [world for _, world in worlds_of(market.world(changes), changes, market.stream.n)]
    if not frozenset.intersection(*(world.present for world in worlds)):
        raise EvaluationError("--change: no model is there from the first request to the last; leave one")
