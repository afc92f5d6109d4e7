"""Routes the requests of a table whose every outcome is known, with the table answering in place of endpoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from routers.drive import drive
from routers.types import Answer, Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Call, Context, Finish, FloatArray, Outcomes, Router

    Column = NDArray[np.float64]
    Trace = tuple[tuple[Call, ...], Finish]


class MissingOutcome(LookupError):
    """The table has no outcome for what a router chose: nothing is made up for it."""


@runtime_checkable
class Dialled(Protocol):
    """A router with a dial between cost and quality."""

    def with_quality_weight(self, quality_weight: float) -> Router:
        """Return the router with its dial elsewhere."""
        ...


@runtime_checkable
class Preparable(Protocol):
    """A router that can expect rewards and costs of many requests at once."""

    def prepared(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Router:
        """Return the router with the estimates for exactly these contexts computed."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of each request under one setting of a router; `quality` and `cost_usd` are of length `n`.

    `shares` `[m]` are those of the requests that each candidate served. `drawn` tells whether it is a matter of luck:
    another seed would give something else.
    """

    quality: FloatArray
    cost_usd: FloatArray
    shares: FloatArray
    drawn: bool


@dataclass(frozen=True, slots=True)
class Sweep:
    """A router's results over its dial: `quality` and `cost_usd` are `[dials, n]`, `shares` `[dials, m]`.

    A weight of None is a router without a dial. `shares` are those of the requests that each model served. `drawn`
    tells whether it is a matter of luck.
    """

    quality_weights: tuple[float | None, ...]
    quality: FloatArray
    cost_usd: FloatArray
    shares: FloatArray
    drawn: bool = False

    @property
    def points(self) -> tuple[Column, Column]:
        """Return mean cost and mean quality at each setting, `[dials]` both."""
        return self.cost_usd.mean(axis=1, dtype=np.float64), self.quality.mean(axis=1, dtype=np.float64)

    def take(self, rows: NDArray[np.intp]) -> Sweep:
        """Return the same settings on some of the requests; the shares stay those of all."""
        return replace(self, quality=self.quality[:, rows], cost_usd=self.cost_usd[:, rows])


def average(sweeps: Sequence[Sweep]) -> Sweep:
    """Return the mean over several seeds of the same router's sweeps: what to expect of one of them."""
    return replace(
        sweeps[0],
        quality=np.mean([one.quality for one in sweeps], axis=0),
        cost_usd=np.mean([one.cost_usd for one in sweeps], axis=0),
        shares=np.mean([one.shares for one in sweeps], axis=0),
    )


def replay(
    router: Router, contexts: Sequence[Context], table: Outcomes, candidates: Sequence[Candidate], rng: Random
) -> Replayed:
    """Route every request, of which the table's rows are the outcomes, under one setting of the router.

    Every call is charged, also one whose answer was thrown away; a refusal earns and costs nothing. Where every plan
    makes one call at most, and returns its answer, what is credited is not the candidate that was drawn but the
    expectation over the probabilities that it was drawn with: what the draws would come to if there were many.

    Raises `MissingOutcome` where the table lacks a candidate, a candidate's reward for some request, or a model that
    the router calls.
    """
    rewards, costs = columns(table, candidates)
    place = {candidate.model: i for i, candidate in enumerate(candidates)}
    traces = [
        drive(router.plan(context, candidates, rng), lambda called: Answer(_known(called, place)))
        for context in contexts
    ]
    single = all(_is_single(*trace) for trace in traces)
    calls, served = _expected(traces, place) if single else _happened(traces, place)
    # What is not called may cost anything, even what nobody knows.
    spent = np.where(calls > 0, calls * costs, 0).sum(axis=1)
    return Replayed(
        quality=(served * rewards).sum(axis=1).astype(np.float32),
        cost_usd=spent.astype(np.float32),
        shares=(served.sum(axis=0) / max(len(served), 1)).astype(np.float32),
        drawn=not single and any(_is_uncertain(call) for made, _ in traces for call in made),
    )


def sweep(
    router: Router,
    contexts: Sequence[Context],
    table: Outcomes,
    candidates: Sequence[Candidate],
    quality_weights: Sequence[float],
    seed: int,
) -> Sweep:
    """Replay a router at every setting of its dial, each from the same seed; once where it has no dial.

    Raises `MissingOutcome` as `replay` does.
    """
    ready = router.prepared(contexts, candidates) if isinstance(router, Preparable) else router
    settings: Mapping[float | None, Router] = {None: ready}
    if isinstance(ready, Dialled):
        settings = {weight: ready.with_quality_weight(weight) for weight in quality_weights}
    each = [replay(one, contexts, table, candidates, Random(seed)) for one in settings.values()]  # noqa: S311 - no secret
    return Sweep(
        quality_weights=tuple(settings),
        quality=np.stack([one.quality for one in each]),
        cost_usd=np.stack([one.cost_usd for one in each]),
        shares=np.stack([one.shares for one in each]),
        drawn=any(one.drawn for one in each),
    )


def columns(table: Outcomes, candidates: Sequence[Candidate]) -> tuple[Column, Column]:
    """Return rewards and costs of the candidates, both `[n, m]`. Raises `MissingOutcome` for a gap in the rewards."""
    if absent := sorted({candidate.model for candidate in candidates} - set(table.models)):
        raise MissingOutcome(f"the table has no column for {absent}; it has {sorted(table.models)}")
    places = [table.models.index(candidate.model) for candidate in candidates]
    rewards = table.rewards[:, places].astype(np.float64)
    gaps = np.argwhere(np.isnan(rewards))
    if len(gaps):
        row, column = gaps[0]
        model = candidates[int(column)].model
        raise MissingOutcome(f"the table has no reward of {model!r} for row {row} ({len(gaps)} gaps in all)")
    return rewards, table.costs_usd[:, places].astype(np.float64)


def _known(candidate: Candidate, place: Mapping[str, int]) -> Candidate:
    if candidate.model not in place:
        raise MissingOutcome(f"the router called {candidate.model!r}, which is not among {sorted(place)}")
    return candidate


def _is_single(calls: Sequence[Call], finish: Finish) -> bool:
    """Tell whether a plan ended with the answer to its only call, of one candidate, or refused before any."""
    if not calls:
        return finish.answer is None
    return len(calls) == 1 and len(calls[0].candidates) == 1 and finish.answer is not None


def _is_uncertain(call: Call) -> bool:
    return max(call.propensities.values()) < 1


def _expected(traces: Sequence[Trace], place: Mapping[str, int]) -> tuple[Column, Column]:
    """Return how often each candidate is called and serves, `[n, m]` both, over all the draws of single calls."""
    chances = np.zeros((len(traces), len(place)))
    for row, (calls, _) in enumerate(traces):
        for model, chance in calls[0].propensities.items() if calls else ():
            if chance:
                chances[row, place[_known(Candidate(model), place).model]] = chance
    return chances, chances


def _happened(traces: Sequence[Trace], place: Mapping[str, int]) -> tuple[Column, Column]:
    """Return how often each candidate was called, and whose answer was returned, `[n, m]` both."""
    called, served = np.zeros((len(traces), len(place))), np.zeros((len(traces), len(place)))
    for row, (calls, finish) in enumerate(traces):
        for candidate in (one for call in calls for one in call.candidates):
            called[row, place[candidate.model]] += 1
        if finish.answer is not None:
            served[row, place[finish.answer.candidate.model]] = 1
    return called, served
