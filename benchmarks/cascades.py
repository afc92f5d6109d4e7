"""Hold cascades with gates of a known error against single calls, on outcome tables.

    python benchmarks/cascades.py TABLE... [--router knn] [--errors 0 0.01 0.05 0.1 0.2 0.25 0.3 0.4]
        [--check-share 0] [--noise 0.5 1 2] [--curves]

Everything is chosen on the training fold, by cross-validation, and shown on dev. A gate's verdict on an answer is
right but for the given chance of an error; with --noise, it is the score with normal noise of that deviation. At
each of some prices of money the optimiser takes a plan or a single call. `AIQ` is of the settings that it takes,
`single` of the single calls that are best at these prices, by the same router; the difference has the paired
bootstrap's 95 % interval. `plans` is at how many prices it takes several calls, and `least` the least advantage of what
it takes over the best single call at any of the prices, in rewards less costs on dev, with its standard error.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from outcome_rows import ROUTERS, outcomes_of

from routers.cascades.optimise import Optimiser
from routers.cascades.settings import DIAL
from routers.cascades.simulate import noisy, verdicts
from routers.cascades.staging import Staged
from routers.evaluation.bootstrap import Bootstrap, difference
from routers.evaluation.curve import measure
from routers.evaluation.replay import Sweep
from routers.evaluation.yardstick import Yardstick
from routers.registry import build_router

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routers.cascades.scene import Scene
    from routers.cascades.setting import Setting
    from routers.cascades.staging import Gated
    from routers.types import Outcomes

#: Prices of money that plans are chosen at: a reward for what an average answer costs.
PRICES = DIAL[1::2]
SEED = 1


def sweep_of(settings: Sequence[Setting], scene: Scene) -> Sweep:
    """Return what settings do on a scene."""
    played = [setting.play(scene) for setting in settings]
    return Sweep(
        quality_weights=(None,) * len(played),
        quality=np.stack([one.quality for one in played]).astype(np.float32),
        cost_usd=np.stack([one.cost_usd for one in played]).astype(np.float32),
        shares=np.zeros((len(played), len(scene.models)), np.float32),
    )


def line(gated: Gated, test: Scene, folds: tuple[Outcomes, Outcomes], *, curves: bool) -> str:
    """Return what the optimiser makes of one gate."""
    optimiser = Optimiser(gated.scene, gated.error)
    unit = 1 / float(gated.scene.costs_usd.mean())
    chosen = [optimiser.at_price(price * unit) for price in PRICES]
    single = sweep_of([optimiser.best_single(one.price) for one in chosen], test)
    sweep = sweep_of([one.setting for one in chosen], test)
    yardstick, bootstrap = Yardstick.of(*folds), Bootstrap(folds[1])
    mine, theirs = measure(*sweep.points, yardstick).aiq, measure(*single.points, yardstick).aiq
    told = difference(mine - theirs, bootstrap.aiq(sweep), bootstrap.aiq(single))
    gains = [_gain(one.setting, optimiser, test, one.price) for one in chosen]
    least, error = min(gains)
    plans = sum(one.setting.family != "single" for one in chosen)
    if curves:
        for one, cost, quality in zip(chosen, *sweep.points, strict=True):
            print(f"    {one.setting.family:16} {1000 * cost:.5g} USD/1000, quality {quality:.4f}")
    interval = f"[{told.interval[0]:+.4f}, {told.interval[1]:+.4f}]"
    return (
        f"{gated.error:.3f} | {mine:.4f} | {theirs:.4f} | {told.value:+.4f} {interval} | "
        f"{plans} of {len(PRICES)} | {least:+.4f} ({error:.4f})"
    )


def _gain(setting: Setting, optimiser: Optimiser, test: Scene, price: float) -> tuple[float, float]:
    """Return what a setting gains over the single call that is best in training, at a price, and its standard error."""
    single = optimiser.best_single(price)
    gained = setting.play(test).utility(price) - single.play(test).utility(price)
    return float(gained.mean()), float(gained.std(ddof=1) / np.sqrt(len(gained)))


def lines(path: Path, asked: argparse.Namespace) -> Iterator[str]:
    """Yield a line for each gate."""
    train, dev = outcomes_of(path, "train"), outcomes_of(path, "dev")
    gates: list[tuple[str, Callable[..., np.ndarray]]] = [
        *((f"error {error:g}", partial(verdicts, error=error)) for error in asked.errors),
        *((f"noise {noise:g}", partial(noisy, deviation=noise)) for noise in asked.noise),
    ]
    staged = Staged.of(partial(build_router, ROUTERS[asked.router]), train)
    test = staged.other(dev)
    for share in asked.check_share:
        for name, gate in gates:
            rng = np.random.default_rng(SEED)
            gated = staged.gated(gate(train.rewards, rng=rng), share)
            scene = gated.other(test, gate(dev.rewards, rng=rng))
            yield f"| {name} | {share:g} | {line(gated, scene, (train, dev), curves=asked.curves)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each outcome table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--router", default="knn", choices=list(ROUTERS))
    parser.add_argument("--errors", nargs="*", type=float, default=[0, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4])
    parser.add_argument("--noise", nargs="*", type=float, default=[])
    parser.add_argument("--check-share", nargs="+", type=float, default=[0.0])
    parser.add_argument("--curves", action="store_true", help="print each point that is taken")
    asked = parser.parse_args(arguments)
    for path in asked.tables:
        print(f"\n{path.stem}, router {asked.router}\n")
        print("| gate | check | measured error | AIQ | single | difference | plans | least |")
        print("|---|---|---|---|---|---|---|---|")
        for row in lines(path, asked):
            print(row, flush=True)


if __name__ == "__main__":
    main()
