"""Chooses a plan of several calls on one fold of an outcome table, or a single call where that is as good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from gateway.evaluation.names import COMPOSITE, GREEDY, LEARNED_COSTS
from gateway.evaluation.problem import EvaluationError
from routers.cascades.optimise import Optimiser
from routers.cascades.staging import Staged
from routers.gates.combined import Combined
from routers.plans.checking import Checking
from routers.registry import build_router
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.tuning.ground import Ground
    from routers.cascades.optimise import Choice
    from routers.cascades.scene import Played, Scene
    from routers.cascades.setting import Setting
    from routers.cascades.staging import Gated
    from routers.estimating import EstimatingRouter
    from routers.types import Costs, Router

#: Prices of money that are tried where neither a price nor a budget is given, in rewards for a mean answer's cost.
PRICES: Final = np.exp(np.linspace(np.log(1e-3), np.log(1e2), 60))
#: By how much a mean may miss another for reasons of rounding alone.
TOLERANCE: Final = 1e-6
#: What the levels of the best single call of a router, and of what was chosen, stand under: no model's name.
CALL: Final = "best single call"
PLAN: Final = "chosen"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a plan is chosen for: at most so many USD a request, or a price (the reward that a USD is worth).

    With neither it is to be as good as the best single model, for the least cost. `insist` is on several calls, also
    where a single call is as good. Raises `EvaluationError`.
    """

    budget_usd: float | None = None
    price: float | None = None
    insist: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.budget_usd is not None and self.price is not None:
            raise EvaluationError("--budget and --price: give one of them, the other follows")
        if self.budget_usd is not None and not self.budget_usd > 0:
            raise EvaluationError(f"--budget: {self.budget_usd:g} must be more than 0 USD a request")
        if self.price is not None and not self.price >= 0:
            raise EvaluationError(f"--price: {self.price:g} must not be negative")

    def best(self, optimiser: Optimiser, enough: float) -> Choice:
        """Return the choice; `enough` is the mean reward of the best single model. Raises `EvaluationError`."""
        if self.price is not None:
            return optimiser.at_price(self.price)
        if self.budget_usd is None:
            return _matching(optimiser, enough)
        found = optimiser.within(self.budget_usd)
        if found.cost_usd > self.budget_usd * (1 + TOLERANCE):
            least = f"nothing costs less than {found.cost_usd:.4g} USD a request"
            raise EvaluationError(f"--budget: {self.budget_usd:g} is too little: {least}")
        return found


@dataclass(frozen=True, slots=True)
class Level:
    """A mean reward, and what a request cost on average."""

    quality: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Cascading:
    """What was chosen on which rows, with which gate, and what it is held against.

    `gate` is the one to serve with: the table's, weighed together with what was expected. `specification` is the
    policy's `router`, `pool` its models. `levels` has each single model, the best single call of a router at the same
    price (`CALL`) and what was chosen (`PLAN`); `seen` the same on rows that nothing was chosen by.
    """

    ground: Ground
    gate: Mapping[str, Any]
    choice: Choice
    gated: Gated
    specification: Mapping[str, Any]
    pool: tuple[str, ...]
    single: str
    levels: Mapping[str, Level]
    seen: Mapping[str, Level] | None = None


def router_of(estimator: Mapping[str, Any]) -> dict[str, Any]:
    """Return the specification of the router that a plan begins with: it leaves nothing to chance."""
    return {"type": COMPOSITE, "estimator": dict(estimator), "costs": {"type": LEARNED_COSTS}, "rule": dict(GREEDY)}


def cascade(
    ground: Ground, gate: Mapping[str, Any], estimator: Mapping[str, Any], aim: Aim, unseen: Ground | None = None
) -> Cascading:
    """Choose a plan; `unseen` are rows that it is judged on, once, when all is chosen. Raises `EvaluationError`."""
    router = router_of(estimator)
    staged = Staged.of(partial(build_router, router), ground.outcomes)
    gated = staged.gated(ground.verdicts, ground.check_share)
    single = max(levels := _singles(gated.scene), key=lambda model: levels[model].quality)
    optimiser = Optimiser(gated.scene, gated.error, insist=aim.insist)
    choice = aim.best(optimiser, levels[single].quality)
    found = {CALL: optimiser.best_single(choice.price), PLAN: choice.setting}
    weighed = {"type": "combined", "gates": [{"type": "expected"}, dict(gate)]}
    return Cascading(
        ground=ground,
        gate=weighed,
        choice=choice,
        gated=gated,
        specification=choice.setting.specification(router, weighed, _unit_usd(staged.router, ground)),
        pool=choice.setting.models or ground.outcomes.models,
        single=single,
        levels=_levels(gated.scene, found),
        seen=None if unseen is None else _levels(gated.other(staged.other(unseen.outcomes), unseen.verdicts), found),
    )


def build(found: Cascading) -> Router:
    """Return the router of what was chosen, which has learned from all rows, its gate fitted."""
    router = build_router(found.specification)
    router.learn(found.ground.outcomes.of_models(found.pool))
    if isinstance(router, Checking) and isinstance(router.gate, Combined):
        router.gate.restore(found.gated.calibration.state())
    return router


def _matching(optimiser: Optimiser, enough: float) -> Choice:
    """Return what is as good as that for the least cost; where nothing is, what is best."""
    unit = 1 / float(optimiser.scene.costs_usd.mean())
    tried = [optimiser.at_price(float(price * unit)) for price in PRICES]
    good = [one for one in tried if one.quality >= enough - TOLERANCE]
    return min(good, key=lambda one: one.cost_usd) if good else max(tried, key=lambda one: one.quality)


def _unit_usd(router: Router, ground: Ground) -> float:
    """Return the unit of the router's dial."""
    costs: Costs = cast("EstimatingRouter", router).costs  # `router_of` says so
    return costs.reference_usd([Candidate(model) for model in ground.outcomes.models])


def _levels(scene: Scene, settings: Mapping[str, Setting]) -> dict[str, Level]:
    return _singles(scene) | {name: _level(one.play(scene)) for name, one in settings.items()}


def _singles(scene: Scene) -> dict[str, Level]:
    means = zip(scene.rewards.mean(axis=0).tolist(), scene.costs_usd.mean(axis=0).tolist(), strict=True)
    return {model: Level(*level) for model, level in zip(scene.models, means, strict=True)}


def _level(played: Played) -> Level:
    return Level(float(played.quality.mean()), float(played.cost_usd.mean()))
