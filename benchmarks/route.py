"""Time one routing decision: microseconds at 10 candidates, with and without 10,000 learned rows.

Run `python benchmarks/route.py [rows]`. The embedding is given, so this is the router's own time: estimates,
costs, rule and draw. The budget is 1,000 microseconds at 10,000 rows.
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
}


def units(rows: int, seed: int) -> np.ndarray:
    """Return random directions."""
    vectors = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def outcomes(rows: int, models: tuple[str, ...]) -> Outcomes:
    """Return a full table of random outcomes."""
    generator = np.random.default_rng(0)
    shape = (rows, len(models))
    rewards = generator.random(shape, np.float32)
    costs, tokens = generator.random(shape, np.float32) * 0.01, generator.random(shape, np.float32) * 500
    return Outcomes(models, units(rows, 1), rewards, costs, tokens)


def decide(router: Router, contexts: list[Context], pool: list[Candidate]) -> list[float]:
    """Return the microseconds of each decision."""
    times, rng = [], Random(0)  # noqa: S311 - no secret
    for context in contexts:
        start = time.perf_counter()
        next(router.plan(context, pool, rng))
        times.append((time.perf_counter() - start) * 1e6)
    return times


def main() -> None:
    """Print the median and the 95th percentile for each strategy."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    pool = [Candidate(f"m{i}", Price(Decimal(i + 1) / 10, Decimal(i + 1))) for i in range(CANDIDATES)]
    contexts = [Context("", 100, embedding) for embedding in units(DECISIONS, 2)]
    table = outcomes(rows, tuple(candidate.model for candidate in pool))
    print(f"{CANDIDATES} candidates, {rows} rows of {DIMENSION}, microseconds a decision")
    for name, spec in STRATEGIES.items():
        router = build_router(spec)
        router.learn(table)
        decide(router, contexts[:50], pool)
        times = decide(router, contexts, pool)
        print(f"{name:16} p50 {np.percentile(times, 50):7.0f}   p95 {np.percentile(times, 95):7.0f}")


if __name__ == "__main__":
    main()
