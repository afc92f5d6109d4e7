"""A fitted item-response model: what items are like, and how able each model is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from routers.efforts import base_of
from routers.estimators._ability import Population
from routers.estimators._calibration import Calibration
from routers.odds import deviation, sigmoid
from routers.siblings import VARIANCE_SHARE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.estimators._ability import Array
    from routers.estimators._calibration import Descent
    from routers.types import FloatArray

    Arrays = Mapping[str, NDArray[np.generic]]

_PREFIX = "fitted."


@dataclass(frozen=True, slots=True)
class Examination:
    """Abilities `[m, k]` of the models, their covariances `[m, k, k]`, and the calibration that they rest on."""

    models: tuple[str, ...]
    abilities: Array
    covariances: Array
    population: Population
    calibration: Calibration

    @classmethod
    def fitted(
        cls, models: tuple[str, ...], embeddings: FloatArray, rewards: FloatArray, descent: Descent
    ) -> Examination:
        """Fit it to rewards `[n, m]` (NaN: not observed), at least one of each model."""
        observed = rewards.astype(np.float64)
        calibration, abilities = descent.fit(embeddings, observed)
        population, items = Population.of(abilities), calibration.items(embeddings)
        exact = [items.ability(column, population) for column in observed.T]
        means, covariances = (np.stack(arrays) for arrays in zip(*exact, strict=True))
        alone = cls(models, means, covariances, population, calibration)
        akin = [items.ability(column, alone.expected(model)) for model, column in zip(models, observed.T, strict=True)]
        means, covariances = (np.stack(arrays) for arrays in zip(*akin, strict=True))
        return replace(alone, abilities=means, covariances=covariances)

    def expected(self, model: str) -> Population:
        """Return what the ability of a model is expected to be: near those of its other efforts, if it has any."""
        kin = [n for n, other in enumerate(self.models) if other != model and base_of(other) == base_of(model)]
        if not kin:
            return self.population
        precisions = 1 / np.diagonal(self.covariances[kin], axis1=1, axis2=2)
        total = precisions.sum(axis=0)
        mean = (self.abilities[kin] * precisions).sum(axis=0) / total
        return Population(mean, self.population.variance * VARIANCE_SHARE + 1 / total)

    def mastery(self, embeddings: FloatArray, models: Sequence[str]) -> tuple[Array, Array]:
        """Return the chances `[n, m]` that models master requests, and their standard errors."""
        places = [self.models.index(model) for model in models]
        items = self.calibration.items(embeddings)
        margins = items.margins(self.abilities[places])
        of_models = np.einsum("nk,mkl,nl->nm", items.slopes, self.covariances[places], items.slopes)
        of_items = self.calibration.variances(embeddings, self.abilities[places])
        return sigmoid(margins), deviation(margins, np.sqrt(of_models + of_items))

    def joined(self, model: str, embeddings: FloatArray, rewards: FloatArray) -> Examination:
        """Return this with the ability of one model, told by its rewards `[n]` alone."""
        items = self.calibration.items(embeddings)
        ability, covariance = items.ability(rewards.astype(np.float64), self.expected(model))
        others = [place for place, other in enumerate(self.models) if other != model]
        return replace(
            self,
            models=(*(self.models[place] for place in others), model),
            abilities=np.concatenate([self.abilities[others], ability[None]]),
            covariances=np.concatenate([self.covariances[others], covariance[None]]),
        )

    def information(self, embeddings: FloatArray, asked: FloatArray, rewards: Array) -> Array:
        """Return what each request `[n]` would tell of a model that earned `rewards` `[k]` on the requests `asked`."""
        ability, _ = self.calibration.items(asked).ability(rewards, self.population)
        return self.calibration.items(embeddings).information(ability)

    def state(self) -> Arrays:
        """Return it as arrays."""
        arrays = {
            "models": np.array(self.models, dtype=np.str_),
            "abilities": self.abilities,
            "covariances": self.covariances,
            "population": np.stack([self.population.mean, self.population.variance]),
            "slopes": self.calibration.slopes,
            "difficulties": self.calibration.difficulties,
            "spreads": self.calibration.spreads,
        }
        return {_PREFIX + name: array for name, array in arrays.items()}

    @classmethod
    def restored(cls, state: Arrays) -> Examination | None:
        """Return what `state` returned; None where it holds none. Raises `KeyError`."""
        if not any(name.startswith(_PREFIX) for name in state):
            return None
        names = ("abilities", "covariances", "population", "slopes", "difficulties")
        numbers = {name: state[_PREFIX + name].astype(np.float64) for name in names}
        spreads = state[f"{_PREFIX}spreads"].astype(np.float32)
        calibration = Calibration(numbers["slopes"], numbers["difficulties"], spreads)
        models = tuple(state[f"{_PREFIX}models"].tolist())
        mean, variance = numbers["population"]
        return cls(models, numbers["abilities"], numbers["covariances"], Population(mean, variance), calibration)
