"""The settings to try: single calls over the dial, chains, cascades with a learned start, cascade routing."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.cascades.setting import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from routers.cascades.scene import Scene

    Array = NDArray[np.float64]

#: The families that make several calls.
PLANS: Final = frozenset({"chain", "cascade", "cascade_routing"})
#: Prices of money, a reward for what an average answer costs: 0 for none.
DIAL: Final = np.concatenate([[0.0], np.exp(np.linspace(np.log(0.003), np.log(30), 40))])
#: Fewer of them, for who starts, and for what an answer is worth.
STARTS: Final = DIAL[1::4]
#: The share of answers that a step lets through, by its threshold.
SHARES: Final = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
#: Chances that are nearer to each other may be those of the same scores.
APART: Final = 0.02
#: By how much a next step must be expected to be better; -1: it need not.
GAINS: Final = (-1.0, 0.0, 0.1)
#: Chains of two that are tried with a third model, by how well they do.
EXTENDED: Final = 4


def settings(scene: Scene) -> list[Setting]:
    """Return all settings to try on a scene; of chains, those in which each model is better than the one before."""
    unit = 1 / float(scene.costs_usd.mean())
    singles = [Setting("single", price=float(price * unit)) for price in DIAL]
    return [*singles, *_cascades(scene, unit), *_routes(unit), *_chains(scene, unit)]


def _cascades(scene: Scene, unit: float) -> Iterator[Setting]:
    for price, threshold, gain in product(STARTS, _thresholds(scene.chances.ravel()), GAINS):
        yield Setting("cascade", float(price * unit), thresholds=(threshold,), gain=gain)


def _routes(unit: float) -> Iterator[Setting]:
    for start, worth in product(STARTS, DIAL[1::2]):
        if worth <= start:
            yield Setting("cascade_routing", float(start * unit), quality_value_usd=float(1 / (worth * unit)))


def _chains(scene: Scene, unit: float) -> list[Setting]:
    """Return all chains of two, and those of three that the best of them lead to, at some prices."""
    order = np.argsort(scene.costs_usd.mean(axis=0), kind="stable")
    quality = scene.rewards.mean(axis=0)
    rising = [(a, b) for a, b in combinations(order.tolist(), 2) if quality[b] > quality[a]]
    pairs = [one for chain in rising for one in _of_chain(scene, chain)]
    played = [one.play(scene) for one in pairs]
    means = np.array([(one.quality.mean(), one.cost_usd.mean()) for one in played]).reshape(-1, 2)
    best = {int(place) for price in STARTS for place in np.argsort(price * unit * means[:, 1] - means[:, 0])[:EXTENDED]}
    kept = [pairs[place] for place in sorted(best)]
    chains = {one.models for one in kept}
    longer = {
        (*(scene.models[place] for place in (a, b)), scene.models[c])
        for (a, b), (other, c) in product(rising, rising)
        if b == other and {(scene.models[a], scene.models[b]), (scene.models[b], scene.models[c])} <= chains
    }
    triples = [tuple(scene.models.index(model) for model in chain) for chain in sorted(longer)]
    return kept + [one for chain in triples for one in _of_chain(scene, chain)]


def _of_chain(scene: Scene, chain: tuple[int, ...]) -> Iterator[Setting]:
    """Yield a chain's settings: thresholds that let shares of the answers through, more of the later ones."""
    each = [_thresholds(scene.chances[:, place]) for place in chain[:-1]]
    for thresholds in product(*each):
        yield Setting("chain", models=tuple(scene.models[place] for place in chain), thresholds=thresholds, gain=-1.0)


def _thresholds(chances: Array) -> tuple[float, ...]:
    """Return thresholds that shares of the answers reach, each once: half-way to chances that are clearly lower.

    One that is a chance itself would be missed by answers just like it, once they are calibrated on other rows.
    """
    reached = np.quantile(chances, [1 - share for share in SHARES], method="nearest").tolist()
    lower = [float(chances[chances < chance - APART].max(initial=0.0)) for chance in reached]
    return tuple(sorted({(chance + below) / 2 for chance, below in zip(reached, lower, strict=True)}))
