"""A plan with its numbers: what it would do on a table, and how it is written in a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from routers.cascades.evaluate import climb, route, single

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routers.cascades.scene import Played, Scene

Family = Literal["single", "chain", "cascade", "cascade_routing"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One call (`single`), a fixed ladder (`chain` of some models), one with a learned start, or cascade routing.

    `price` is what the router that makes the first call pays: a reward for a USD. A chain begins with its cheapest.
    """

    family: Family
    price: float = 0.0
    models: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    max_steps: int = 3
    gain: float = 0.0
    quality_value_usd: float = 0.0

    def play(self, scene: Scene) -> Played:
        """Return what it would do for every request of a scene."""
        if self.family == "chain":
            part = scene.of_models(self.models)
            return climb(part, part.expected_usd.argmin(axis=1), self.thresholds, len(self.models), self.gain)
        start = scene.preferred(self.price)
        if self.family == "single":
            return single(scene, start)
        if self.family == "cascade":
            return climb(scene, start, self.thresholds, self.max_steps, self.gain)
        return route(scene, start, self.quality_value_usd, self.max_steps)

    def specification(self, router: Mapping[str, Any], gate: Mapping[str, Any], reference_usd: float) -> dict[str, Any]:
        """Return the policy's `router`, given the specifications of the estimating router and of the gate.

        `reference_usd` is the unit of the router's dial: the mean cost of the dearest model. A chain needs its
        `models` as the policy's pool.
        """
        weight = 0.0 if self.family == "chain" else 1 / (1 + self.price * reference_usd)
        start = {**router, "quality_weight": weight}
        if self.family == "single":
            return start
        if self.family == "cascade_routing":
            value = {"quality_value_usd": self.quality_value_usd, "max_steps": self.max_steps}
            return {"type": "cascade_routing", "gate": dict(gate), **value, "router": start}
        steps = len(self.models) if self.family == "chain" else self.max_steps
        numbers = {"thresholds": list(self.thresholds), "max_steps": steps, "gain": self.gain}
        return {"type": "cascade", "gate": dict(gate), **numbers, "router": start}
