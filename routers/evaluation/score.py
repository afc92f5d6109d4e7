"""How good is a router at one setting, and what has it to be held against?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.replay import columns, replay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from numpy.typing import NDArray

    from routers.types import Candidate, Outcomes, Router


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
    if not table.n:
        raise ValueError("the table has no requests to evaluate on")
    rewards, costs = columns(table, candidates)
    contexts = replace(table, prompt_tokens=tuple(prompt_tokens)).contexts()
    chosen = replay(router, contexts, table, candidates, rng)
    models = [candidate.model for candidate in candidates]
    singles = {model: _score(rewards[:, i], costs[:, i]) for i, model in enumerate(models)}
    rows = np.arange(table.n)
    best = np.lexsort((costs, -rewards), axis=1)[:, 0]  # by reward, then by cost; NaN costs come last
    return Report(
        n=table.n,
        router=_score(chosen.quality, chosen.cost_usd),
        singles=singles,
        oracle=_score(rewards[rows, best], costs[rows, best]),
        random=_score(rewards.mean(axis=1), costs.mean(axis=1)),
    )


def _score(rewards: NDArray[np.floating], costs: NDArray[np.floating]) -> Score:
    return Score(_mean(rewards), None if np.isnan(costs).any() else _mean(costs))


def _mean(values: NDArray[np.floating]) -> Mean:
    n = len(values)
    error = float(values.std(ddof=1, dtype=np.float64)) / math.sqrt(n) if n > 1 else math.nan
    return Mean(float(values.mean(dtype=np.float64)), error)
