"""Time one routing decision: microseconds at 10 candidates, with and without 10,000 learned rows.

Run `python benchmarks/route.py [rows]`. The embedding is given, so this is the router's own time: estimates,
costs, rule and draw. The budget is 1,000 microseconds at 10,000 rows, and 3,000 at the 99th percentile.
"""

import sys
import time
from decimal import Decimal
from random import Random

import numpy as np

from routers.registry import build_router
from routers.types import Candidate, Context, Outcomes, Price, Router

DIMENSION = 384
CANDIDATES = 10
DECISIONS = 500
STRATEGIES = {
    "random": {"type": "random"},
    "constant*greedy": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy"}},
    "knn*greedy": {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}},
    "knn*softmax": {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "softmax"}},
    "knn*thompson": {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "thompson"}},
    "recommended": {"type": "recommended"},
}


def units(rows: int, seed: int) -> np.ndarray:
    """Return random directions."""
    vectors = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def texts(n: int, seed: int) -> tuple[str, ...]:
    """Return texts of some eighty words from a thousand."""
    generator = np.random.default_rng(seed)
    lengths = generator.poisson(80, n)
    return tuple(" ".join(f"word{w}" for w in generator.zipf(1.3, length) % 1000) for length in lengths)


def outcomes(rows: int, models: tuple[str, ...]) -> Outcomes:
    """Return a full table of random outcomes."""
    generator = np.random.default_rng(0)
    shape = (rows, len(models))
    rewards = generator.random(shape, np.float32)
    costs, tokens = generator.random(shape, np.float32) * 0.01, generator.random(shape, np.float32) * 500
    tasks = tuple(f"task{row % 10}" for row in range(rows))
    prompts = tuple(generator.integers(20, 500, rows).tolist())
    return Outcomes(models, units(rows, 1), rewards, costs, tokens, None, texts(rows, 1), tasks, prompts)


def decide(router: Router, contexts: list[Context], pool: list[Candidate]) -> list[float]:
    """Return the microseconds of each decision."""
    times, rng = [], Random(0)  # noqa: S311 - no secret
    for context in contexts:
        start = time.perf_counter()
        next(router.plan(context, pool, rng))
        times.append((time.perf_counter() - start) * 1e6)
    return times


def main() -> None:
    """Print the median and the 95th and 99th percentile for each strategy."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    pool = [Candidate(f"m{i}", Price(Decimal(i + 1) / 10, Decimal(i + 1))) for i in range(CANDIDATES)]
    pairs = zip(texts(DECISIONS, 2), units(DECISIONS, 2), strict=True)
    contexts = [Context(text, 100, embedding) for text, embedding in pairs]
    table = outcomes(rows, tuple(candidate.model for candidate in pool))
    print(f"{CANDIDATES} candidates, {rows} rows of {DIMENSION}, microseconds a decision")
    for name, spec in STRATEGIES.items():
        router = build_router(spec)
        router.learn(table)
        decide(router, contexts[:50], pool)
        p50, p95, p99 = np.percentile(decide(router, contexts, pool), [50, 95, 99])
        print(f"{name:16} p50 {p50:7.0f}   p95 {p95:7.0f}   p99 {p99:7.0f}")


if __name__ == "__main__":
    main()
