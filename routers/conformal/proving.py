"""How much may be saved on the reference, and still be promised?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from routers.conformal.learning_then_testing import certify, growing
from routers.conformal.pledge import Pledge
from routers.conformal.shortfall import choices, shortfalls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.conformal.learning_then_testing import Target

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows that are certified on show: chances to be good enough and costs as expected, rewards as they were.

    All are `[n, m]`, NaN where unknown, of `models`, of which `reference` is a place. `unit_usd` is what an answer of
    the reference costs on average, by other rows.
    """

    chances: Array
    costs_usd: Array
    rewards: Array
    models: tuple[str, ...]
    reference: int
    unit_usd: float

    def walk(self, delta: float) -> Walk:
        """Return what is taken at each price, and where that falls short, by more than delta."""
        taken = choices(self.chances, self.costs_usd, self.reference, self.unit_usd)
        losses = _each(shortfalls(self.rewards, self.reference, delta), taken)
        return Walk(taken, growing(losses), _each(self.costs_usd, taken), self.models, self.unit_usd)


@dataclass(frozen=True, slots=True)
class Walk:
    """The path from timid to bold on some rows, all `[s, n]`: who is taken, what is lost so far, the expected cost."""

    taken: NDArray[np.intp]
    losses: Array
    expected_usd: Array
    models: tuple[str, ...]
    unit_usd: float

    def take(self, rows: NDArray[np.intp]) -> Walk:
        """Return the same on some of the rows."""
        return replace(
            self, taken=self.taken[:, rows], losses=self.losses[:, rows], expected_usd=self.expected_usd[:, rows]
        )

    def prove(self, target: Target) -> Pledge:
        """Return the pledge of the least expected cost that keeps to the target."""
        certificate = certify(self.losses, target)
        spent = np.nan_to_num(self.expected_usd.mean(axis=1), nan=np.inf)
        return Pledge.of(certificate, self.models, self.unit_usd, certificate.cheapest(spent))


def _each(values: Array, taken: NDArray[np.intp]) -> Array:
    """Return the values `[n, m]` of who was taken at each setting, `[s, n]`."""
    return np.asarray(values[np.arange(len(values)), taken])
