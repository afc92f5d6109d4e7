"""Two models mixed at random: the best that can be had without looking at the request."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from routers.costs.mean import TYPICAL_PROMPT_TOKENS, Mean
from routers.dial import checked_weight
from routers.estimators.constant import Constant
from routers.outlook import Expectations
from routers.parts import below, prefixed
from routers.state import Manifest, load_state, save_state
from routers.tally import Tally
from routers.types import Call, Context, Finish, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from routers.outlook import Outlook
    from routers.types import Candidate, Costs, Outcomes, Plan

#: The request that the models are compared on, whatever the one to be answered.
_TYPICAL = Context("", TYPICAL_PROMPT_TOKENS)
#: Pools whose hulls are remembered: a policy's, and what is left of it while some of its models rest.
_MOST_POOLS = 64


@dataclass(frozen=True, slots=True)
class _Vertex:
    """A model on the hull."""

    model: str
    cost_usd: float
    reward: float


@dataclass(frozen=True, slots=True)
class _Market:
    """What is expected of a pool, and its hull, from the cheapest model to the best."""

    outlook: Outlook
    hull: list[_Vertex]


class Zero:
    """Mix the two models between which the dial points, on the hull of single models.

    Each model is a point: what it costs on an average request, and its mean reward. The upper hull of these points,
    from the cheapest model (of equals the best) to the best (of equals the cheapest), is what can be reached by mixing
    models at random; anything that looks at requests has to be above it. The dial goes along the hull by cost,

        expected cost = cheapest + w * (best - cheapest)

    and the two models on either side are drawn with the probabilities that make it so: at 0 the cheapest is taken, at 1
    the best. A model whose cost is unknown counts as the dearest one known; one never observed has a reward of 0.5.

    Parameters: `quality_weight` in [0, 1], the dial.

    >>> import numpy as np
    >>> from random import Random
    >>> from routers.types import Candidate, Context, Outcomes
    >>> gap = np.full((1, 3), np.nan, np.float32)
    >>> usd, rewards = np.array([[1.0, 2.0, 5.0]], np.float32), np.array([[0.25, 0.75, 1.0]], np.float32)
    >>> zero = Zero(quality_weight=0.5)
    >>> zero.learn(Outcomes(("small", "medium", "large"), np.zeros((1, 2), np.float32), rewards, usd, gap))
    >>> pool = [Candidate("large"), Candidate("medium"), Candidate("small")]
    >>> call = next(zero.plan(Context("hello", 2), pool, Random(0)))
    >>> {model: round(p, 4) for model, p in call.propensities.items()}
    {'small': 0.0, 'medium': 0.6667, 'large': 0.3333}

    The zero router of RouterBench (https://arxiv.org/abs/2403.12031).
    """

    requires: frozenset[str] = frozenset()

    def __init__(self, quality_weight: float = 0.7) -> None:
        self.quality_weight = checked_weight(quality_weight)
        self._rewards = Constant()
        self._costs: Costs = Mean()
        self._markets: dict[tuple[Candidate, ...], _Market] = {}

    def with_quality_weight(self, quality_weight: float) -> Zero:
        """Return this router with the dial elsewhere. It shares what was learned, and copies nothing."""
        view = copy(self)
        view.quality_weight = checked_weight(quality_weight)
        return view

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:  # noqa: ARG002 - the protocol's
        """Make one call, drawn from two models at most. Raises `ValueError` where there is no candidate."""
        if not candidates:
            raise ValueError("there is no candidate to choose from")
        market = self._market(tuple(candidates))
        outlook, share = market.outlook, _mixture(market.hull, self.quality_weight)
        propensities = {model: share.get(model, 0.0) for model in outlook.models}
        (answer,) = yield Call(
            candidates=tuple(rng.choices(outlook.candidates, weights=list(propensities.values()))),
            propensities=propensities,
            why=f"zero w={self.quality_weight:g}{'' if outlook.costs_usd else ' cost=unknown'}",
            estimates=outlook.estimates,
            expected_cost_usd=outlook.costs_usd,
        )
        return Finish(answer)

    def learn(self, outcomes: Outcomes) -> None:
        """Add rewards, costs and completion lengths to the sums."""
        self._rewards.learn(outcomes)
        self._costs.learn(outcomes)
        self._markets.clear()

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write the sums."""
        arrays = prefixed("rewards", self._rewards.state()) | prefixed("costs", self._costs.state())
        save_state(directory, arrays, Manifest("zero", self._costs.models, encoder, dict(metadata or {})))

    def load(self, directory: Path) -> None:
        """Replace what was learned. Raises `StateError` where the folder holds nothing that fits."""
        arrays = load_state(directory, "zero")
        try:
            self._rewards.restore(below("rewards", arrays))
            self._costs.restore(below("costs", arrays))
        except KeyError as missing:
            raise StateError(f"{directory} lacks the array {missing}; run `pointsman train`") from missing
        self._markets.clear()

    def _market(self, pool: tuple[Candidate, ...]) -> _Market:
        """Return what is expected of a pool; the request makes no difference, so that once is enough."""
        if (known := self._markets.get(pool)) is not None:
            return known
        (outlook,) = Expectations(self._rewards, self._costs, Tally.empty()).outlooks([_TYPICAL], pool)
        if len(self._markets) >= _MOST_POOLS:
            self._markets.clear()
        return self._markets.setdefault(pool, _Market(outlook, _hull(outlook)))


def _hull(outlook: Outlook) -> list[_Vertex]:
    """Return the vertices of the upper hull, from the cheapest to the best; rewards rise and returns diminish."""
    rewards = [reward.mean for reward in outlook.prospects.rewards]
    points = sorted(zip(outlook.prospects.costs_usd, (-reward for reward in rewards), outlook.models, strict=True))
    hull: list[_Vertex] = []
    for cost, loss, model in points:
        vertex = _Vertex(model, cost, -loss)
        if hull and vertex.reward <= hull[-1].reward:
            continue
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) <= _slope(hull[-1], vertex):
            hull.pop()
        hull.append(vertex)
    return hull


def _slope(one: _Vertex, other: _Vertex) -> float:
    """Return the reward gained for a USD; the other is better and costs more."""
    return (other.reward - one.reward) / (other.cost_usd - one.cost_usd)


def _mixture(hull: Sequence[_Vertex], quality_weight: float) -> dict[str, float]:
    """Return the shares of one model or two, whose expected cost is where the dial points."""
    cheapest, best = hull[0], hull[-1]
    target = (1 - quality_weight) * cheapest.cost_usd + quality_weight * best.cost_usd
    for below_it, above_it in pairwise(hull):
        if target < above_it.cost_usd:
            share = max(target - below_it.cost_usd, 0.0) / (above_it.cost_usd - below_it.cost_usd)
            return {below_it.model: 1 - share, above_it.model: share}
    return {best.model: 1.0}
