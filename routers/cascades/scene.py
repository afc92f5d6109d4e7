"""What a cascade meets on a table: outcomes, what was expected of them, and what a gate says of each answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Scene:
    """Requests by models, all arrays `[n, m]` without gaps.

    `rewards` and `costs_usd` are as they were; `means`, `deviations` and `expected_usd` what a router expected that had
    not seen them; `chances` what a gate would give each answer, calibrated on other rows. Checking an answer costs
    `check_share` of what the answer costs: 0 for a validator, a part for a judge.
    """

    models: tuple[str, ...]
    rewards: Array
    costs_usd: Array
    means: Array
    deviations: Array
    expected_usd: Array
    chances: Array
    check_share: float = 0.0

    @property
    def n(self) -> int:
        """Return the number of requests."""
        return len(self.rewards)

    def of_models(self, models: Sequence[str]) -> Scene:
        """Return the same for some of the models, in the order given. Raises `ValueError` for one it lacks."""
        columns = [self.models.index(model) for model in models]
        return replace(self, models=tuple(models), **{name: getattr(self, name)[:, columns] for name in _ARRAYS})

    def take(self, rows: Places) -> Scene:
        """Return some of the requests."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    def preferred(self, price: float) -> Places:
        """Return whom a router takes that pays a reward of `price` for a USD, `[n]`; of equals, the cheaper."""
        utilities = self.means - price * self.expected_usd
        best = utilities.max(axis=1, keepdims=True)
        return np.asarray(np.where(utilities == best, self.expected_usd, np.inf).argmin(axis=1))


_ARRAYS = ("rewards", "costs_usd", "means", "deviations", "expected_usd", "chances")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of each request: the reward of the answer that was returned, and all that was paid; both `[n]`."""

    quality: Array
    cost_usd: Array

    def utility(self, price: float) -> Array:
        """Return the rewards less what was paid, at a reward of `price` for a USD."""
        return self.quality - price * self.cost_usd
