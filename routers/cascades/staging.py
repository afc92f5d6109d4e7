"""From outcomes and a gate's scores to a scene: what a router that has not seen the requests expects of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.calibration.combination import Combination
from routers.cascades.scene import Scene
from routers.cascades.simulate import error_of
from routers.expected import first_calls
from routers.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from routers.types import Outcomes, Router

    Array = NDArray[np.float64]

#: Parts of the rows: each is expected, and its scores are calibrated, by what was learned from the others.
PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Gated:
    """A scene with a gate, how often it errs, and how its scores become chances."""

    scene: Scene
    error: float
    calibration: Combination

    def other(self, scene: Scene, scores: Array) -> Scene:
        """Return another scene, of requests that were not learned from, with this gate and its scores `[n, m]`."""
        chances = _calibrated(self.calibration, scene, scores)
        return replace(scene, chances=chances, check_share=self.scene.check_share)


@dataclass(frozen=True, slots=True)
class Staged:
    """The requests that plans are chosen on, without a gate yet, their `parts` `[n]`, and a router that learned all."""

    scene: Scene
    parts: NDArray[np.intp]
    router: Router

    @classmethod
    def of(cls, build: Callable[[], Router], outcomes: Outcomes, seed: int = 0) -> Staged:
        """Cross-fit routers that `build` makes to outcomes without gaps.

        Raises `ValueError` where a router does not say what rewards and costs it expects.
        """
        parts = np.random.default_rng(seed).permutation(outcomes.n) % PARTS
        looks = np.empty((3, outcomes.n, len(outcomes.models)))
        for part in range(PARTS):
            router, inside = build(), np.flatnonzero(parts == part)
            router.learn(outcomes.take(np.flatnonzero(parts != part)))
            looks[:, inside] = _looks(router, outcomes.take(inside))
        whole = build()
        whole.learn(outcomes)
        return cls(_scene(outcomes, looks), parts, whole)

    def other(self, outcomes: Outcomes) -> Scene:
        """Return the scene of requests that were not learned from, without a gate. Raises `ValueError`."""
        return _scene(outcomes, _looks(self.router, outcomes))

    def gated(self, scores: Array, check_share: float = 0.0) -> Gated:
        """Calibrate a gate's scores of all answers `[n, m]`, NaN for none.

        An answer's chance to be good is made of its score and of what was expected of it before. Checking costs
        `check_share` of what the answer costs.
        """
        chances = np.empty(scores.shape)
        for part in range(PARTS):
            inside, others = self.parts == part, self.parts != part
            fit = _fitted(self.scene.take(np.flatnonzero(others)), scores[others])
            chances[inside] = _calibrated(fit, self.scene.take(np.flatnonzero(inside)), scores[inside])
        scene = replace(self.scene, chances=chances, check_share=check_share)
        return Gated(scene, error_of(scores, self.scene.rewards), _fitted(self.scene, scores))


def _looks(router: Router, outcomes: Outcomes) -> Array:
    """Return expected rewards, their standard errors, and costs, `[3, n, m]`. Raises `ValueError` for a gap."""
    calls = first_calls(router, outcomes.contexts(), [Candidate(model) for model in outcomes.models])
    looks = np.full((3, outcomes.n, len(outcomes.models)), np.nan)
    for row, call in enumerate(calls):
        for column, model in enumerate(outcomes.models):
            if call is not None and model in call.estimates and model in call.expected_cost_usd:
                one = call.estimates[model]
                looks[:, row, column] = one.mean, one.std, call.expected_cost_usd[model]
    if np.isnan(looks).any():
        raise ValueError("the router does not say what rewards and costs it expects of every model; take `estimating`")
    return looks


def _scene(outcomes: Outcomes, looks: Array) -> Scene:
    return Scene(
        models=outcomes.models,
        rewards=outcomes.rewards.astype(np.float64),
        costs_usd=outcomes.costs_usd.astype(np.float64),
        means=looks[0],
        deviations=looks[1],
        expected_usd=looks[2],
        chances=looks[0],
    )


def _fitted(scene: Scene, scores: Array) -> Combination:
    return Combination.fit(_paired(scene, scores), [*scene.models] * scene.n, scene.rewards.ravel())


def _calibrated(fit: Combination, scene: Scene, scores: Array) -> Array:
    return fit.chances(_paired(scene, scores), [*scene.models] * scene.n).reshape(scores.shape)


def _paired(scene: Scene, scores: Array) -> Array:
    """Return expectation and score of each answer, `[n m, 2]`."""
    return np.stack([scene.means.ravel(), scores.ravel()], axis=1)
