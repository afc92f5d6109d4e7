"""How able is an examinee, given what the items are like? The half of an item-response model that needs no fitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.odds import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Newton's method on a strictly concave function of a few unknowns is there after a handful of steps.
_STEPS = 50
_CLOSE_ENOUGH = 1e-10
#: The longest step in an ability: beyond it, the curve that Newton's method assumes is not the one there is.
_LONGEST_STEP = 1.0


@dataclass(frozen=True, slots=True)
class Population:
    """What abilities are expected to be before anything is observed: `mean` and `variance`, both `[k]`."""

    mean: Array
    variance: Array

    @classmethod
    def of(cls, abilities: Array) -> Population:
        """Return the population that `abilities` `[m, k]` come from, as if one more had been one away from the mean."""
        mean = abilities.mean(axis=0) if len(abilities) else np.zeros(abilities.shape[1])
        return cls(mean, (((abilities - mean) ** 2).sum(axis=0) + 1) / (len(abilities) + 1))


@dataclass(frozen=True, slots=True)
class Items:
    """What `n` requests ask of a model: the chance of `n` rewards is `sigmoid(slopes . ability - offsets)`."""

    slopes: Array  # [n, k], positive
    offsets: Array  # [n]

    def margins(self, abilities: Array) -> Array:
        """Return the logits `[n, m]` for abilities `[m, k]`, each the same whatever the others are."""
        return np.asarray((self.slopes[:, None, :] * abilities).sum(axis=-1) - self.offsets[:, None])

    def ability(self, rewards: Array, population: Population) -> tuple[Array, Array]:
        """Return the most probable ability `[k]` and its covariance `[k, k]`, given rewards `[n]` (NaN: not observed).

        The covariance is the inverse of the Fisher information, with the population's precision added.
        """
        seen = ~np.isnan(rewards)
        slopes, offsets, known = self.slopes[seen], self.offsets[seen], rewards[seen]
        precision = np.diag(1 / population.variance)
        ability, information = population.mean.copy(), precision
        for _ in range(_STEPS):
            chance = sigmoid((slopes * ability).sum(axis=1) - offsets)
            weights = chance * (1 - chance)
            information = precision + (slopes * weights[:, None]).T @ slopes
            slope = slopes.T @ (known - chance) - precision @ (ability - population.mean)
            step = np.linalg.solve(information, slope)
            ability = ability + step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), _CLOSE_ENOUGH))
            if np.abs(step).max() < _CLOSE_ENOUGH:
                break
        return ability, np.asarray(np.linalg.inv(information), np.float64)

    def information(self, ability: Array) -> Array:
        """Return the Fisher information `[n]` that each item's outcome would add: the trace of its matrix."""
        chance = sigmoid(self.margins(ability[None])[:, 0])
        return np.asarray((self.slopes**2).sum(axis=1) * chance * (1 - chance))
