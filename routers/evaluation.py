"""How good is a router, on a table where every model's outcome is known?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.drive import drive
from routers.types import Answer, Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from numpy.typing import NDArray

    from routers.types import Candidate, Outcomes, Router

    Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over requests and its standard error, which is NaN for a single request."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Score:
    """Mean reward, and mean cost in USD; a cost is None where the table lacks one that is needed."""

    reward: Mean
    cost_usd: Mean | None


@dataclass(frozen=True, slots=True)
class Report:
    """A router's score, and those to hold it against, on the same `n` requests.

    `singles` has each model used always. `oracle` takes the best answer to each request, the cheapest of
    equals, and cannot be reached; `random` is the expectation over an even choice.
    """

    n: int
    router: Score
    singles: Mapping[str, Score]
    oracle: Score
    random: Score


class MissingOutcome(LookupError):
    """The table has no outcome for what a router chose: nothing is made up for it."""


def evaluate(
    router: Router,
    table: Outcomes,
    prompt_tokens: Sequence[int],
    candidates: Sequence[Candidate],
    rng: Random,
) -> Report:
    """Route every request of the table (`prompt_tokens` long) and let the table answer.

    Every call a plan makes is charged; a refusal earns nothing. Raises `MissingOutcome` where the table
    lacks a candidate, or a candidate's reward for some request; `ValueError` where it has no requests.
    """
    if not len(table.rewards):
        raise ValueError("the table has no requests to evaluate on")
    rewards, costs = _columns(table, candidates)
    chosen = np.array(
        [
            _route(router, _context(table, prompt_tokens, row), candidates, (rewards[row], costs[row]), rng)
            for row in range(len(rewards))
        ]
    )
    models = [candidate.model for candidate in candidates]
    singles = {model: _score(rewards[:, i], costs[:, i]) for i, model in enumerate(models)}
    rows = np.arange(len(rewards))
    best = np.lexsort((costs, -rewards), axis=1)[:, 0]  # by reward, then by cost; NaN costs come last
    return Report(
        n=len(rewards),
        router=_score(chosen[:, 0], chosen[:, 1]),
        singles=singles,
        oracle=_score(rewards[rows, best], costs[rows, best]),
        random=_score(rewards.mean(axis=1), costs.mean(axis=1)),
    )


def _columns(table: Outcomes, candidates: Sequence[Candidate]) -> tuple[Column, Column]:
    """Return rewards and costs of the candidates, both `[n, m]`."""
    if absent := sorted({candidate.model for candidate in candidates} - set(table.models)):
        raise MissingOutcome(f"the table has no column for {absent}; it has {sorted(table.models)}")
    columns = [table.models.index(candidate.model) for candidate in candidates]
    rewards = table.rewards[:, columns].astype(np.float64)
    gaps = np.argwhere(np.isnan(rewards))
    if len(gaps):
        row, column = gaps[0]
        model = candidates[int(column)].model
        raise MissingOutcome(f"the table has no reward of {model!r} for row {row} ({len(gaps)} gaps in all)")
    return rewards, table.costs_usd[:, columns].astype(np.float64)


def _context(table: Outcomes, prompt_tokens: Sequence[int], row: int) -> Context:
    return Context(text="", prompt_tokens=int(prompt_tokens[row]), embedding=table.embeddings[row])


def _route(
    router: Router,
    context: Context,
    candidates: Sequence[Candidate],
    outcome: tuple[Column, Column],
    rng: Random,
) -> tuple[float, float]:
    """Return the reward earned and the USD spent on one request, whose outcomes are `[m]` and `[m]`."""
    rewards, costs = outcome
    column = {candidate.model: i for i, candidate in enumerate(candidates)}
    calls, finish = drive(router.plan(context, candidates, rng), lambda c: Answer(_listed(c, column)))
    spent = math.fsum(costs[column[c.model]] for call in calls for c in call.candidates)
    served = finish.answer
    return (float(rewards[column[served.candidate.model]]) if served else 0.0), spent


def _listed(candidate: Candidate, column: Mapping[str, int]) -> Candidate:
    if candidate.model not in column:
        raise MissingOutcome(f"the router called {candidate.model!r}, which is not among {sorted(column)}")
    return candidate


def _score(rewards: Column, costs: Column) -> Score:
    return Score(_mean(rewards), None if np.isnan(costs).any() else _mean(costs))


def _mean(values: Column) -> Mean:
    n = len(values)
    error = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Mean(float(values.mean()), error)
