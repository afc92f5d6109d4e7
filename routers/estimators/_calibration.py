"""What requests ask of models, fitted to outcomes: the half of an item-response model that reads embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.descent import adam, minibatches
from routers.estimators._ability import Items
from routers.odds import sigmoid, softplus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routers.descent import Parameters
    from routers.types import FloatArray

    Array = NDArray[np.float64]

_BATCH = 256
#: Fewer steps than this lead nowhere, however few the rows.
_LEAST_STEPS = 100
#: softplus of this is one.
_UNIT_SLOPE = float(np.log(np.e - 1))
_SMALL = 0.1
#: The last third of the steps are smaller, so that the minibatches' noise settles.
_SETTLING = 0.1
#: Nothing is more certain than without a prior of this precision, nor divided by less.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class Calibration:
    """Maps of embeddings `[d]`, one constant number appended, to slopes and difficulties.

    `slopes` is `[d + 1, k]`, before softplus, `difficulties` `[d + 1]`. `spreads` `[2, d + 1, d + 1]` are covariances:
    of each column of the slopes' map (one for all), and of the difficulties'.
    """

    slopes: Array
    difficulties: Array
    spreads: FloatArray

    def items(self, embeddings: FloatArray) -> Items:
        """Return the items that requests of these embeddings `[n, d]` are."""
        inputs = extended(embeddings)
        return items_of({"slopes": self.slopes, "difficulties": self.difficulties}, inputs)

    def difficulty(self, embeddings: FloatArray) -> Array:
        """Return the difficulties `[n]`."""
        return np.asarray(np.vecdot(extended(embeddings), self.difficulties))

    def variances(self, embeddings: FloatArray, abilities: Array) -> Array:
        """Return how uncertain the maps leave the logits of abilities `[m, k]`: their variances `[n, m]`."""
        inputs = extended(embeddings)
        # Not `@`: BLAS would start threads for it, which wait for each other longer than one thread works.
        leverage = np.array(
            [np.vecdot(np.vecdot(self.spreads, row), row) for row in inputs.astype(np.float32)], np.float64
        )
        leverage = leverage.reshape(-1, 2)
        slopes, difficulties = sensitivities(self._parameters(abilities), inputs)
        return np.asarray((slopes**2).sum(axis=-1) * leverage[:, :1] + (difficulties**2 * leverage[:, 1])[:, None])

    def _parameters(self, abilities: Array) -> Parameters:
        return {"slopes": self.slopes, "difficulties": self.difficulties, "abilities": abilities}


@dataclass(frozen=True, slots=True)
class Loss:
    """Cross-entropy of rewards `[n, m]` (NaN: not observed), a sum over models, and the priors' share in it.

    Abilities are standard normal before anything is observed, and the maps' weights (not their constants) have
    mean zero and precision `weight_decay`. `inputs` is `[n, d + 1]`.
    """

    inputs: Array
    rewards: Array
    weight_decay: float

    def value(self, parameters: Parameters, rows: NDArray[np.intp]) -> float:
        """Return the mean loss of some rows."""
        margins = items_of(parameters, self.inputs[rows]).margins(parameters["abilities"])
        rewards = self.rewards[rows]
        losses = np.where(np.isnan(rewards), 0, softplus(margins) - np.nan_to_num(rewards) * margins)
        weights = sum((parameters[name][:-1] ** 2).sum() for name in ("slopes", "difficulties"))
        prior = (self.weight_decay * weights + (parameters["abilities"] ** 2).sum()) / 2
        return float(losses.sum() / len(rows) + prior / len(self.inputs))

    def gradient(self, parameters: Parameters, rows: NDArray[np.intp]) -> dict[str, Array]:
        """Return the gradient of `value`."""
        inputs, abilities = self.inputs[rows], parameters["abilities"]
        items = items_of(parameters, inputs)
        errors = np.nan_to_num(sigmoid(items.margins(abilities)) - self.rewards[rows]) / len(rows)
        total = errors.sum(axis=1)
        slopes = errors @ abilities
        difficulties = -total
        if abilities.shape[1] == 1:
            slopes = slopes - (total * (inputs @ parameters["difficulties"]))[:, None]
            difficulties = -total * items.slopes[:, 0]
        slopes = inputs.T @ (slopes * sigmoid(inputs @ parameters["slopes"])) + self._pull(parameters["slopes"])
        # The slope of a request that is like none is the unit of abilities: were it free, so would be their scale,
        # and with it what the weights' prior means.
        slopes[-1] = 0
        return {
            "slopes": slopes,
            "difficulties": inputs.T @ difficulties + self._pull(parameters["difficulties"]),
            "abilities": errors.T @ items.slopes + abilities / len(self.inputs),
        }

    def _pull(self, weights: Array) -> Array:
        pull = weights * (self.weight_decay / len(self.inputs))
        pull[-1] = 0
        return pull


@dataclass(frozen=True, slots=True)
class Descent:
    """How to fit: dimensions of an ability, passes over the rows, step size, prior precision, seed."""

    dimensions: int
    epochs: int
    learning_rate: float
    weight_decay: float
    seed: int

    def fit(self, embeddings: FloatArray, rewards: Array) -> tuple[Calibration, Array]:
        """Return the maps, and the abilities `[m, k]` of the models."""
        loss = Loss(extended(embeddings), rewards, self.weight_decay)
        rng = np.random.default_rng(self.seed)
        n = len(rewards)
        epochs = max(self.epochs, -(-_LEAST_STEPS // -(-n // _BATCH)))
        batches = minibatches(n, _BATCH, epochs, rng)
        far = len(batches) * 2 // 3
        near = adam(self._start(loss, rng), loss.gradient, batches[:far], learning_rate=self.learning_rate)
        fitted = adam(near, loss.gradient, batches[far:], learning_rate=self.learning_rate * _SETTLING)
        calibration = Calibration(fitted["slopes"], fitted["difficulties"], _spreads(loss, fitted))
        return calibration, fitted["abilities"]

    def _start(self, loss: Loss, rng: np.random.Generator) -> dict[str, Array]:
        """Return abilities like the models' log odds, equal slopes, and no difference between requests."""
        observed = ~np.isnan(loss.rewards)
        odds = (np.nansum(loss.rewards, axis=0) + 1) / (observed.sum(axis=0) + 2)
        abilities = np.tile(np.log(odds / (1 - odds))[:, None] / self.dimensions, self.dimensions)
        if self.dimensions > 1:
            abilities = abilities + rng.normal(0, _SMALL, abilities.shape)
        slopes = np.zeros((loss.inputs.shape[1], self.dimensions))
        slopes[-1] = _UNIT_SLOPE
        return {"slopes": slopes, "difficulties": np.zeros(len(slopes)), "abilities": abilities}


def items_of(parameters: Parameters, inputs: Array) -> Items:
    """Return the items that inputs `[n, d + 1]` are: in one dimension a difficulty is on the scale of abilities."""
    slopes = softplus(inputs @ parameters["slopes"])
    difficulties = np.vecdot(inputs, parameters["difficulties"])
    return Items(slopes, difficulties * slopes[:, 0] if slopes.shape[1] == 1 else difficulties)


def extended(embeddings: FloatArray) -> Array:
    """Append the number one to each embedding, for the maps' constants."""
    return np.concatenate([embeddings.astype(np.float64), np.ones((len(embeddings), 1))], axis=1)


def sensitivities(parameters: Parameters, inputs: Array) -> tuple[Array, Array]:
    """Return how much the logits move with the slopes before softplus `[n, m, k]`, and with the difficulties `[n]`."""
    before, abilities = inputs @ parameters["slopes"], parameters["abilities"]
    if before.shape[1] > 1:
        return abilities * sigmoid(before)[:, None, :], -np.ones(len(inputs))
    above = abilities - np.vecdot(inputs, parameters["difficulties"])[:, None, None]
    return above * sigmoid(before)[:, None, :], -softplus(before[:, 0])


def _spreads(loss: Loss, fitted: Parameters) -> FloatArray:
    """Return the covariances of both maps, each as if the other were known, by Laplace's approximation.

    Models err together on a request that is harder than its embedding tells, so the information is divided by how
    much more the requests' scores vary than they would if models erred apart.
    """
    chances = sigmoid(items_of(fitted, loss.inputs).margins(fitted["abilities"]))
    weights = chances * (1 - chances) * ~np.isnan(loss.rewards)
    slopes, difficulties = sensitivities(fitted, loss.inputs)
    information = [np.einsum("nmk,nm->n", slopes**2, weights) / slopes.shape[2], difficulties**2 * weights.sum(axis=1)]
    scores = difficulties * np.nansum(loss.rewards - chances, axis=1)
    dispersion = max(1.0, float((scores**2).sum() / max(information[1].sum(), _LEAST)))
    prior = np.diag(np.full(loss.inputs.shape[1], max(loss.weight_decay, _LEAST)))
    precisions = [(loss.inputs * (one / dispersion)[:, None]).T @ loss.inputs + prior for one in information]
    return np.linalg.inv(np.stack(precisions)).astype(np.float32)
