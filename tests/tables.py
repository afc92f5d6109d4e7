"""Outcome tables and requests of two dimensions, made up, and what an estimator expects after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from routers.types import Candidate, Context, Estimator, Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

A, B, C = Candidate("a"), Candidate("b"), Candidate("c")
EAST, NORTH, WEST, CENTRE = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]
NAN = np.nan

E = TypeVar("E", bound=Estimator)


def table(embeddings: Any, rewards: Any, models: Sequence[str] = "abcdefgh", tasks: Sequence[str] = ()) -> Outcomes:
    """Return outcomes without costs, of the first of the models: as many as a row of rewards has, or one."""
    observed = np.array(rewards, np.float32)
    observed = observed if observed.ndim == 2 else observed[:, None]
    gap = np.full_like(observed, NAN)
    named = tuple(models[: observed.shape[1]])
    return Outcomes(named, np.array(embeddings, np.float32), observed, gap, gap, tasks=tuple(tasks))


def specialists(n: int = 200) -> Outcomes:
    """Return outcomes where a is good at the east and b at the north; c is in between everywhere."""
    return table([EAST, NORTH] * (n // 2), [[0.9, 0.1, 0.5], [0.1, 0.9, 0.5]] * (n // 2))


def learned(estimator: E, *tables: Outcomes) -> E:
    """Return the estimator after these."""
    for each in tables:
        estimator.learn(each)
    return estimator


def towards(direction: Any) -> Context:
    """Return a request whose embedding points there."""
    return Context("", 1, embedding=np.array(direction, np.float32))


def mean(estimator: Estimator, context: Context, candidate: Candidate = A) -> float:
    """Return one estimated reward."""
    return float(estimator.predict([context], [candidate]).mean[0, 0])


def std(estimator: Estimator, context: Context, candidate: Candidate = A) -> float:
    """Return one standard error."""
    return float(estimator.predict([context], [candidate]).std[0, 0])
