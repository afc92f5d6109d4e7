"""Routers that learn online, on tables of outcomes of which they are told only what they chose.

    python benchmarks/bandits.py TABLE.parquet [TABLE.parquet ...] [--seeds 5] [--fold train] [--every 20]
        [--only lin_ucb] [--plot FOLDER]

Each table's rows are shuffled (`--seeds` times); a fifth is kept for the final policy, and the rest comes once, as
a stream. The net reward is the score less the cost, at a rate by which the mean cost of the model that scores best is
worth 0.15. Printed, with 95 % intervals over the seeds:

    one pass     mean net reward beyond the best fixed model of these very rows (in hindsight)
    final        net reward of the greedy final policy on the fifth, beyond the best fixed model there
    told all     the same of the same estimator that was told every outcome of the stream
    warm         begins with a fifth of the stream told in full

`plain ucb` and `plain ts` are textbook LinUCB and linear Thompson sampling on 16 principal components, for reference.
`--plot` draws the cumulative regret against the best fixed model, with 95 % bands over the seeds, and that of the
estimator of `lin_ucb` told all of these very rows beforehand.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from gateway.embeddings import embed_all, open_cache
from gateway.signals.encoder import open_encoder
from gateway.tables.read import read_table
from routers.evaluation.bandit import Net, one_pass, rate_of
from routers.evaluation.replay import columns
from routers.registry import build_router
from routers.types import Candidate, Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

mpl.use("svg")
ROUTERS: dict[str, dict[str, Any]] = {
    "lin_ucb": {"type": "lin_ucb", "floor": 0},
    "lin_ucb floor": {"type": "lin_ucb"},
    "lin_thompson": {"type": "lin_thompson", "floor": 0},
    "cluster_bandit": {"type": "cluster_bandit", "floor": 0},
    "epsilon_greedy": {"type": "epsilon_greedy"},
}
STUDENT = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 9: 2.26}


@dataclass(frozen=True)
class Split:
    """A stream, the fifth that is kept, and the rate at which money counts."""

    stream: Outcomes
    kept: Outcomes
    rate: float


def split(table: Outcomes, pool: Sequence[Candidate], seed: int) -> Split:
    """Shuffle a table's rows, and keep a fifth."""
    order = np.random.default_rng(seed).permutation(table.n)
    kept = table.n // 5
    return Split(table.take(order[kept:]), table.take(order[:kept]), rate_of(table, pool))


def made(spec: dict[str, Any], rate: float) -> Any:
    """Return a router that counts money at the rate."""
    router: Any = build_router(spec)
    router.utility = Net(rate)
    return router


def beyond(router: Any, table: Outcomes, rate: float, pool: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the net reward of what looks best, on each row, beyond that of the best fixed model of these rows."""
    rewards, costs = columns(table, pool)
    net = rewards - rate * costs
    greedy, rng = router.without_exploration(), Random(0)  # noqa: S311 - no secret
    place = {candidate.model: i for i, candidate in enumerate(pool)}
    chosen = [place[next(greedy.plan(context, pool, rng)).candidates[0].model] for context in table.contexts()]
    return np.asarray(net[np.arange(len(chosen)), chosen] - net[:, net.mean(axis=0).argmax()])


def final(router: Any, one: Split, pool: Sequence[Candidate]) -> float:
    """Return the net reward of what looks best, on the rows kept, beyond that of the best fixed model there."""
    return float(beyond(router, one.kept, one.rate, pool).mean())


def trial(spec: dict[str, Any], table: Outcomes, pool: Sequence[Candidate], seed: int, every: int) -> dict[str, Any]:
    """Return what one router comes to, from one seed."""
    one = split(table, pool, seed)
    cold = made(spec, one.rate)
    passed, _ = one_pass(cold, one.stream, pool, one.rate, seed, every=every)
    told = made(spec, one.rate)
    told.learn(one.stream)
    fifth = one.stream.n // 5
    warm = made(spec, one.rate)
    warm.learn(one.stream.take(range(fifth)))
    went, _ = one_pass(warm, one.stream.take(range(fifth, one.stream.n)), pool, one.rate, seed, every=every)
    return {
        "one pass": passed.beyond_best,
        "final": final(cold, one, pool),
        "told all": final(told, one, pool),
        "warm pass": went.beyond_best,
        "warm final": final(warm, one, pool),
        "regret": passed.regret,
        "regret, told all": -np.cumsum(beyond(told, one.stream, one.rate, pool)),
    }


def plain(table: Outcomes, pool: Sequence[Candidate], seed: int, *, thompson: bool) -> dict[str, Any]:
    """Return what a textbook bandit comes to: ridge regressions of the net reward on 16 principal components."""
    one = split(table, pool, seed)
    rewards, costs = columns(one.stream, pool)
    net = rewards - one.rate * costs
    centered = one.stream.embeddings - one.stream.embeddings.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:16]
    points = np.column_stack([np.ones(len(net)), centered @ axes.T])
    rng, (n, m), d = np.random.default_rng(seed), net.shape, points.shape[1]
    inverse, products, earned = np.tile(np.eye(d), (m, 1, 1)), np.zeros((m, d)), np.zeros(n)
    for row, point in enumerate(points):
        means = np.einsum("mij,mj->mi", inverse, products)
        if thompson:
            spreads = 0.25**2 * inverse
            drawn = [rng.multivariate_normal(mean, spread) for mean, spread in zip(means, spreads, strict=True)]
            scores = np.array(drawn) @ point
        else:
            scores = means @ point + 0.5 * np.sqrt(np.einsum("i,mij,j->m", point, inverse, point))
        a = int(scores.argmax())
        seen = inverse[a] @ point
        inverse[a] -= np.outer(seen, seen) / (1 + point @ seen)
        products[a] += net[row, a] * point
        earned[row] = net[row, a]
    return {
        "one pass": float(earned.mean() - net.mean(axis=0).max()),
        "regret": np.cumsum(net[:, net.mean(axis=0).argmax()] - earned),
    }


def shown(values: Sequence[float]) -> str:
    """Return a mean with its 95 % interval."""
    return f"{np.mean(values):+.4f} ± {half_width(np.array(values)):.4f}"


def half_width(values: NDArray[np.float64]) -> Any:
    """Return half the width of the 95 % interval of the mean over the first axis."""
    student = STUDENT.get(len(values) - 1, 1.96)
    return student * np.std(values, axis=0, ddof=1) / np.sqrt(len(values))


def load(path: Path, fold: str) -> Outcomes:
    """Return a table's outcomes with the embeddings of the default encoder."""
    table = read_table(path)
    embeddings = embed_all(table.prompts, open_encoder("minilm"), open_cache(os.environ))
    return table.outcomes(table.complete(table.rows(fold), fold), table.models, embeddings)


def plot(folder: Path, name: str, curves: dict[str, list[Any]]) -> None:
    """Draw the mean cumulative regret of each router, and its 95 % band."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for label, several in curves.items():
        mean, half = np.mean(several, axis=0), half_width(np.array(several))
        (line,) = axes.plot(mean, label=label)
        axes.fill_between(
            np.arange(len(mean)), mean - half, mean + half, color=line.get_color(), alpha=0.2, linewidth=0
        )
    axes.set(xlabel="requests", ylabel="cumulative regret against the best fixed model", title=name)
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.legend()
    figure.savefig(folder / f"bandits-{name}.svg")
    plt.close(figure)


def main() -> None:
    """Print a line for each router and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fold", default="train")
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--only", action="append")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    for path in options.tables:
        table = load(path, options.fold)
        pool = [Candidate(model) for model in table.models]
        curves: dict[str, list[Any]] = {}
        for label, spec in ROUTERS.items():
            if options.only and label not in options.only:
                continue
            found = [trial(spec, table, pool, seed, options.every) for seed in range(options.seeds)]
            told = "  ".join(f"{key} {shown([one[key] for one in found])}" for key in found[0] if "regret" not in key)
            print(f"{path.stem:22} {label:16} {told}", flush=True)
            curves[label] = [one["regret"] for one in found]
            if label == "lin_ucb":
                curves["told all"] = [one["regret, told all"] for one in found]
        for label, thompson in (("plain ucb", False), ("plain ts", True)):
            found = [plain(table, pool, seed, thompson=thompson) for seed in range(options.seeds)]
            print(f"{path.stem:22} {label:16} one pass {shown([one['one pass'] for one in found])}", flush=True)
            curves[label] = [one["regret"] for one in found]
        if options.plot:
            plot(options.plot, path.stem, curves)


if __name__ == "__main__":
    main()
