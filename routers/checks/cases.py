"""The requests, candidates and outcomes that the battery is run on; the same on every run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from routers.types import Candidate, Context, Joules, Outcomes, Price

if TYPE_CHECKING:
    from routers.types import FloatArray

#: Length of the embeddings.
DIMENSION = 8

#: Priced and not, observed in `outcomes` ("small", "medium", "large") and not ("new").
POOL = (
    Candidate("large", Price(input=Decimal("1.25"), output=Decimal(10)), 400_000, Joules(0.4, 8.0)),
    Candidate("small", Price(input=Decimal("0.05"), output=Decimal("0.4")), 32_000, Joules(0.01, 0.2)),
    Candidate("medium", joules=Joules(0.1, 2.0)),
    Candidate("new", Price(input=Decimal("0.5"), output=Decimal(2)), 128_000, Joules(0.1, 2.0)),
)

_MODELS = ("small", "medium", "large")


def contexts(n: int, seed: int = 0) -> list[Context]:
    """Return requests of several lengths, in any direction, with one feature each."""
    generator = np.random.default_rng(seed)
    return [
        Context(f"request {i}", 10 + 100 * i, embedding, {"domain": "code", "length": float(i)})
        for i, embedding in enumerate(_units(n, generator))
    ]


def bare(context: Context, requires: frozenset[str]) -> Context:
    """Return the request without the signals that are not named in `requires`."""
    kept = {name: value for name, value in context.features.items() if name in requires}
    return replace(context, embedding=context.embedding if "embedding" in requires else None, features=kept)


def outcomes(n: int, seed: int = 1) -> Outcomes:
    """Return outcomes with gaps; how good a model is depends on the first number of the embedding."""
    generator = np.random.default_rng(seed)
    embeddings = _units(n, generator)
    slopes = np.array([-0.4, 0.1, 0.4])
    rewards = np.clip(0.5 + embeddings[:, :1] * slopes + 0.1 * generator.standard_normal((n, 3)), 0, 1)
    rewards[generator.random((n, 3)) < 0.2] = np.nan
    tokens = generator.integers(50, 800, (n, 3))
    return Outcomes(
        models=_MODELS,
        embeddings=embeddings,
        rewards=rewards.astype(np.float32),
        costs_usd=(tokens * np.array([4e-7, 2e-6, 1e-5])).astype(np.float32),
        completion_tokens=tokens.astype(np.float32),
        latencies_s=(tokens * np.array([0.01, 0.02, 0.03])).astype(np.float32),
        texts=tuple(f"request {i}" for i in range(n)),
        tasks=tuple("left" if value < 0 else "right" for value in embeddings[:, 0]),
        prompt_tokens=tuple(int(number) for number in generator.integers(10, 1000, n)),
    )


def rows(table: Outcomes, start: int, stop: int) -> Outcomes:
    """Return some rows of a table."""
    return table.take(range(start, stop))


def _units(n: int, generator: np.random.Generator) -> FloatArray:
    vectors = generator.standard_normal((n, DIMENSION)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
