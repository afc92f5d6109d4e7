"""What plans do on a table, for all its requests at once: to the letter what `routers.plans` would do one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from routers.cascades.scene import Played

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.cascades.scene import Scene

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Places = NDArray[np.intp]


class Course:
    """Where every request stands: what it has cost, the best answer so far and its chance, and whether it is done."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._every = scene, np.arange(scene.n)
        self.open: Mask = np.ones(scene.n, np.bool_)
        self.chance: Array = np.zeros(scene.n)
        self.best: Places = np.full(scene.n, -1)
        self._cost: Array = np.zeros(scene.n)

    def ask(self, model: Places, asked: Mask, last: Mask) -> Array:
        """Ask; whose answer is the last takes it and is done, all others have it checked. Return the chances."""
        paid = self._scene.costs_usd[self._every, model]
        checked = asked & ~last
        self._cost += np.where(asked, paid, 0) + np.where(checked, self._scene.check_share * paid, 0)
        self.close(asked & last, model)
        return np.where(checked, self._scene.chances[self._every, model], -1.0)

    def keep(self, model: Places, found: Array, better: Mask) -> None:
        """Note the answers that are better than those at hand."""
        self.best = np.where(better, model, self.best)
        self.chance = np.where(better, found, self.chance)

    def close(self, done: Mask, model: Places) -> None:
        """Let some requests end with the answer of a model."""
        self.best = np.where(done, model, self.best)
        self.open &= ~done

    def end(self) -> Played:
        """Return what came of it."""
        return Played(self._scene.rewards[self._every, self.best], self._cost)


def single(scene: Scene, start: Places) -> Played:
    """Ask one model each, `start` `[n]`."""
    every = np.arange(scene.n)
    return Played(scene.rewards[every, start], scene.costs_usd[every, start])


def climb(scene: Scene, start: Places, thresholds: Sequence[float], max_steps: int = 3, gain: float = 0.0) -> Played:
    """Climb from `start` `[n]` to whoever is expected to cost more, as `routers.plans.cascade.Cascade` does."""
    course, every = Course(scene), np.arange(scene.n)
    order = np.argsort(scene.expected_usd, axis=1, kind="stable")
    first = (order == start[:, None]).argmax(axis=1)
    top: Places = np.minimum(first + max_steps, len(scene.models)) - 1
    for step in range(max_steps):
        place = first + step
        model = order[every, np.minimum(place, top)]
        asked = course.open & (place <= top)
        if step:
            asked &= scene.means[every, model] >= course.chance + gain
        last: Mask = top == place
        found = course.ask(model, asked, last)
        checked = asked & ~last
        course.keep(model, found, checked & ((course.best < 0) | (found >= course.chance)))
        course.close(checked & (found >= thresholds[min(step, len(thresholds) - 1)]), model)
    return course.end()


def route(scene: Scene, start: Places, quality_value_usd: float, max_steps: int = 3) -> Played:
    """Go from `start` `[n]` to whoever gains most, as `routers.plans.cascade_routing.CascadeRouting` does."""
    course, every = Course(scene), np.arange(scene.n)
    model, left = start, np.ones(scene.means.shape, np.bool_)
    for step in range(max_steps):
        left[every, model] = False
        allowed = left & (step + 1 < max_steps)
        worth: Mask = np.asarray((_gains(scene, course.chance, quality_value_usd, allowed) > 0).any(axis=1))
        found = course.ask(model, course.open.copy(), ~worth)
        course.keep(model, found, course.open & ((course.best < 0) | (found > course.chance)))
        gains = _gains(scene, course.chance, quality_value_usd, allowed)
        following = gains.argmax(axis=1)
        course.close(course.open & (gains[every, following] <= 0), course.best)
        model = following
    return course.end()


def _gains(scene: Scene, at_hand: Array, value_usd: float, allowed: Mask) -> Array:
    gained = expected_gains(scene.means, scene.deviations, at_hand[:, None]) * value_usd - scene.expected_usd
    return np.where(allowed, gained, -np.inf)


def expected_gains(means: Array, deviations: Array, at_hand: Array) -> Array:
    """Return `routers.gain.expected_gain` of arrays.

    >>> expected_gains(np.array([0.9, 0.5]), np.array([0.0, 0.2]), np.array([0.5, 0.5])).round(4).tolist()
    [0.4, 0.0798]
    """
    from scipy.special import ndtr

    ahead = means - at_hand
    safe = np.where(deviations > 0, deviations, 1.0)
    distance = ahead / safe
    density = np.exp(-distance * distance / 2) / math.sqrt(2 * math.pi)
    return np.where(deviations > 0, ahead * ndtr(distance) + safe * density, np.maximum(ahead, 0.0))
