"""Measure whether a promise of quality is kept, and what it costs.

    python benchmarks/promise.py TABLE... [--router knn recommended] [--splits 500] [--fits 5] [--eta 0.1]

A third of a table's prompts is learned from; the others are split at random into halves, `splits` times in all: a
promise is proved on one half, and looked at on the other. `above` is the share of splits in which more than alpha of
the other half's prompts were answered worse than by the reference, the model that is best on average, with an exact
95 % interval (of the luck of the splits alone); it should be at most eta. `cost` is relative to the reference. The
horizon `half` is the other half itself; `long run` counts no luck of those to come, so that it is above alpha more
often. Prompts that lack a score are left out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from outcome_rows import ROUTERS, outcomes_of
from scipy.stats import beta

from routers.conformal.learning_then_testing import Target
from routers.conformal.proving import Evidence
from routers.conformal.shortfall import adequacies, shortfalls
from routers.evaluation.yardstick import best_single
from routers.expected import expected, first_calls
from routers.registry import build_router
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from routers.conformal.proving import Walk
    from routers.types import Outcomes

#: A horizon at which the luck of the requests to come counts no more.
LONG_RUN = 1_000_000


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted to a third of the rows, on the others: what it takes, who falls short, and costs `[n, m]`."""

    walk: Walk
    short: np.ndarray
    costs_usd: np.ndarray
    reference: int

    @classmethod
    def of(cls, rows: Outcomes, spec: dict, delta: float, seed: int) -> Fitted:
        """Learn which answers are good enough from a third of the rows."""
        aside = np.random.default_rng(seed).permutation(rows.n) % 3 > 0
        learned, others = rows.take(np.flatnonzero(~aside)), rows.take(np.flatnonzero(aside))
        reference = best_single(rows)
        router = build_router(spec)
        router.learn(adequacies(learned, rows.models[reference], delta))
        calls = first_calls(router, others.contexts(), [Candidate(model) for model in rows.models])
        chances, costs = expected(calls, rows.models)
        unit = float(learned.costs_usd[:, reference].mean(dtype=np.float64))
        rewards = others.rewards.astype(np.float64)
        evidence = Evidence(chances, costs, rewards, rows.models, reference, unit)
        return cls(evidence.walk(delta), shortfalls(rewards, reference, delta), others.costs_usd, reference)

    def split(self, target: Target, rng: np.random.Generator) -> tuple[float, float, bool]:
        """Prove on one half; return risk and relative cost on the other, and whether anything was proved."""
        proof, seen = np.array_split(rng.permutation(len(self.short)), 2)
        setting = self.walk.take(proof).prove(target).setting
        taken = np.full(len(seen), self.reference) if setting is None else self.walk.taken[setting, seen]
        cost = self.costs_usd[seen, taken].sum() / self.costs_usd[seen, self.reference].sum()
        return float(self.short[seen, taken].mean()), float(cost), setting is not None


def lines(rows: Outcomes, router: str, asked: argparse.Namespace) -> Iterator[str]:
    """Yield a line for each alpha, delta and horizon."""
    for delta in asked.delta:
        fits = [Fitted.of(rows, ROUTERS[router], delta, seed) for seed in range(asked.fits)]
        for alpha in asked.alpha:
            for name in ("half", "long run"):
                found = [one for seed, fit in enumerate(fits) for one in _splits(fit, name, alpha, seed, asked)]
                risks, costs, proved = (np.array(column) for column in zip(*found, strict=True))
                above = int((risks > alpha + 1e-12).sum())
                low, high = exact(above, len(found))
                told = f"{above / len(found):.3f} [{low:.3f}, {high:.3f}] | {risks.mean():.4f} | {costs.mean():.3f}"
                yield f"| {router} | {alpha:g} | {delta:g} | {name} | {told} | {proved.mean():.2f} |"


def _splits(
    fit: Fitted, horizon: str, alpha: float, seed: int, asked: argparse.Namespace
) -> Iterator[tuple[float, float, bool]]:
    rng = np.random.default_rng([seed, 1])
    halves = len(fit.costs_usd) - (len(fit.costs_usd) + 1) // 2
    target = Target(alpha, asked.eta, halves if horizon == "half" else LONG_RUN)
    for _ in range(asked.splits // asked.fits):
        yield fit.split(target, rng)


def exact(count: int, n: int) -> tuple[float, float]:
    """Return Clopper and Pearson's interval of a share, of 95 %."""
    low = float(beta.ppf(0.025, count, n - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, n - count)) if count < n else 1.0
    return low, high


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each outcome table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--router", nargs="+", default=["knn"], choices=list(ROUTERS))
    parser.add_argument("--splits", type=int, default=500)
    parser.add_argument("--fits", type=int, default=5)
    parser.add_argument("--alpha", nargs="+", type=float, default=[0.02, 0.05, 0.1])
    parser.add_argument("--delta", nargs="+", type=float, default=[0.0])
    parser.add_argument("--eta", type=float, default=0.1)
    asked = parser.parse_args(arguments)
    for path in asked.tables:
        rows = outcomes_of(path)
        reference = rows.models[best_single(rows)]
        size = f"{rows.n} prompts, {len(rows.models)} models"
        print(f"\n{path.stem}: {size}, reference {reference}, eta {asked.eta:g}\n")
        print("| router | alpha | delta | horizon | above | mean risk | cost | proved |")
        print("|---|---|---|---|---|---|---|---|")
        for router in asked.router:
            for line in lines(rows, router, asked):
                print(line, flush=True)


if __name__ == "__main__":
    main()
