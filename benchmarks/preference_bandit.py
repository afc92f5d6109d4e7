"""One policy for any preference, against separate models of quality and cost: who earns more, at every dial?

    python benchmarks/preference_bandit.py TABLE.parquet [TABLE.parquet ...] [--seeds 5] [--epochs 5 30]

The rows of each table's fold `train` are split in halves by chance. Of the first half a log is made in which one model,
drawn evenly, answered each request: nothing is known of the others. From that log `preference_bandit` learns by its
policy gradient, and beside it `ridge` (rewards) and `regression` (costs), which know nothing of preferences until they
are asked. Both then choose for the second half at eleven dials `w`, and earn

    w * reward - (1 - w) * min(cost / cap, 1)

`cap` being the 95 % quantile of the log's costs. Printed is the mean over the dials for each, for the best single model
at each dial (with hindsight) and for an even choice; then the difference of the first two, with a 95 % interval over
the seeds.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from gateway.embeddings import embed_all, open_cache
from gateway.signals.encoder import open_encoder
from gateway.tables.read import read_table
from routers.barp.lessons import cap_of
from routers.costs.regression import Regression
from routers.estimators.ridge import Ridge
from routers.observations import Observations
from routers.preference_bandit import PreferenceBandit
from routers.types import Candidate, Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

DIALS = np.linspace(0, 1, 11)


@dataclass(frozen=True)
class Halves:
    """A log of one half, as observations and as a table with gaps, and all of the other half."""

    log: Observations
    gappy: Outcomes
    test: Outcomes
    cap_usd: float


def halves(table: Outcomes, seed: int) -> Halves:
    """Split a table, and let an even draw answer the first half."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(table.n)
    first, test = table.take(order[: table.n // 2]), table.take(order[table.n // 2 :])
    n, m = first.rewards.shape
    drawn, each = rng.integers(m, size=n), np.arange(n)
    rewards, costs = np.full((2, n, m), np.nan, np.float32)
    rewards[each, drawn], costs[each, drawn] = first.rewards[each, drawn], first.costs_usd[each, drawn]
    gap = np.full(n, np.nan)
    log = Observations(
        first.contexts(),
        [first.models[column] for column in drawn],
        rewards[each, drawn].astype(float),
        np.ones(n),
        np.full(n, 1 / m),
        costs[each, drawn].astype(float),
        gap,
        gap,
        np.arange(n, dtype=float),
    )
    gappy = Outcomes(first.models, first.embeddings, rewards, costs, np.full((n, m), np.nan, np.float32))
    return Halves(log, gappy, test, cap_of(costs.astype(float)))


def worth(test: Outcomes, cap_usd: float, dial: float) -> np.ndarray:
    """Return what each model would earn for each request, `[n, m]`."""
    shares = np.minimum(test.costs_usd / cap_usd, 1)
    return np.asarray(dial * test.rewards - (1 - dial) * shares, np.float64)


def of_bandit(split: Halves, epochs: int, seed: int) -> list[float]:
    """Return what the policy earns at each dial, choosing what looks best to it."""
    bandit = PreferenceBandit(floor=0.0, seed=seed)
    for _ in range(epochs):
        bandit.observe(split.log)
    pool, contexts = [Candidate(model) for model in split.test.models], split.test.contexts()
    found = []
    for dial in DIALS:
        router = bandit.with_quality_weight(float(dial)).without_exploration()
        calls = [next(router.plan(context, pool, Random(0))) for context in contexts]  # noqa: S311 - nothing is drawn
        chosen = [split.test.models.index(call.candidates[0].model) for call in calls]
        found.append(float(worth(split.test, split.cap_usd, dial)[np.arange(split.test.n), chosen].mean()))
    return found


def of_models(split: Halves) -> list[float]:
    """Return what separate models of reward and cost earn at each dial."""
    ridge, regression = Ridge(), Regression()
    ridge.learn(split.gappy)
    regression.learn(split.gappy)
    pool, contexts = [Candidate(model) for model in split.test.models], split.test.contexts()
    rewards = ridge.predict(contexts, pool).mean
    costs = np.minimum(regression.predict(contexts, pool) / split.cap_usd, 1)
    each = np.arange(split.test.n)
    choices = [(dial * rewards - (1 - dial) * costs).argmax(axis=1) for dial in DIALS]
    both = zip(DIALS, choices, strict=True)
    return [float(worth(split.test, split.cap_usd, dial)[each, chosen].mean()) for dial, chosen in both]


def compared(path: Path, seeds: int, epochs: Sequence[int]) -> None:
    """Print one table's comparison."""
    table = read_table(path)
    embeddings = embed_all(table.prompts, open_encoder("minilm"), open_cache(os.environ))
    known = table.outcomes(table.complete(table.rows("train"), "train"), table.models, embeddings)
    splits = [halves(known, seed) for seed in range(seeds)]
    separate = np.array([np.mean(of_models(split)) for split in splits])
    means = [[worth(split.test, split.cap_usd, dial).mean(axis=0) for dial in DIALS] for split in splits]
    single = np.mean([[mean.max() for mean in of_split] for of_split in means])
    even = np.mean([[mean.mean() for mean in of_split] for of_split in means])
    print(f"{path.stem}: best single {single:.4f}, even {even:.4f}, ridge and regression {separate.mean():.4f}")
    for number in epochs:
        bandit = np.array([np.mean(of_bandit(split, number, seed)) for seed, split in enumerate(splits)])
        gain = bandit - separate
        half = stdtrit(seeds - 1, 0.975) * gain.std(ddof=1) / np.sqrt(seeds)
        print(
            f"  preference_bandit, {number} passes: {bandit.mean():.4f}; gain {gain.mean():+.4f} ± {half:.4f}",
            flush=True,
        )


def main() -> None:
    """Compare on every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 10, 40])
    asked = parser.parse_args()
    for path in asked.tables:
        compared(path, asked.seeds, asked.epochs)


if __name__ == "__main__":
    main()
