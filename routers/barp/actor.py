"""The network of a policy that is told what the caller prefers: its parameters, its logits, its gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from routers.columns import spread
from routers.estimators.cluster_map import softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Parameters = Mapping[str, Array]

#: Numbers that a preference becomes.
PREFERENCE: Final = 32
#: What a model that is not allowed has for a logit.
_NEVER: Final = -1e9


@dataclass(frozen=True, slots=True)
class Layers:
    """What the layers of the network gave for `n` requests; `logits` `[n, m]`, `values` `[n]` are its answers."""

    inputs: Array
    preference: Array
    hidden: Array
    logits: Array
    values: Array


@dataclass(frozen=True, slots=True)
class Actor:
    """A policy `softmax(logits)` over `models`, and a value: what it expects to earn.

        preference = tanh(w W0 + b0)
        hidden     = relu([x, preference] W1 + b1)
        logits     = hidden W2 + b2
        value      = hidden u + c

    for embeddings `x` `[n, d]` and preferences `w` `[n, 2]` (of quality and of cost, which sum to one).
    """

    models: tuple[str, ...]
    parameters: Parameters

    @classmethod
    def new(cls, dimension: int, hidden: int, seed: int) -> Actor:
        """Return a policy over no models, whose first weights are drawn."""
        rng = np.random.default_rng(seed)
        width = dimension + PREFERENCE
        return cls(
            (),
            {
                "W0": rng.standard_normal((2, PREFERENCE)),
                "b0": np.zeros(PREFERENCE),
                "W1": rng.standard_normal((width, hidden)) * np.sqrt(2 / width),
                "b1": np.zeros(hidden),
                "W2": np.zeros((hidden, 0)),
                "b2": np.zeros(0),
                "u": np.zeros(hidden),
                "c": np.zeros(1),
            },
        )

    @property
    def dimension(self) -> int:
        """Return the length of the embeddings."""
        return len(self.parameters["W1"]) - PREFERENCE

    def knowing(self, models: Sequence[str]) -> Actor:
        """Return this policy over these models too: a new one is as likely as the others are on average."""
        new = tuple(model for model in models if model not in self.models)
        if not new:
            return self
        known = (*self.models, *new)
        columns = {}
        for name in ("W2", "b2"):
            column = self.parameters[name]
            wide = spread(column, self.models, known, 0.0)
            if self.models:
                wide[..., len(self.models) :] = column.mean(axis=-1, keepdims=True)
            columns[name] = wide
        return Actor(known, {**self.parameters, **columns})

    def layers(self, parameters: Parameters, embeddings: Array, weights: Array) -> Layers:
        """Return what the network gives, with these parameters in place of its own."""
        p = parameters
        preference = np.tanh(weights @ p["W0"] + p["b0"])
        inputs = np.concatenate([embeddings, preference], axis=1)
        hidden = np.maximum(inputs @ p["W1"] + p["b1"], 0)
        return Layers(inputs, preference, hidden, hidden @ p["W2"] + p["b2"], hidden @ p["u"] + p["c"])

    def gradient(
        self, parameters: Parameters, given: Layers, weights: Array, slopes: tuple[Array, Array]
    ) -> Parameters:
        """Return the gradient of a loss whose slopes by logits `[n, m]` and values `[n]` are given."""
        p, (by_logits, by_values) = parameters, slopes
        by_hidden = (by_logits @ p["W2"].T + by_values[:, None] * p["u"]) * (given.hidden > 0)
        by_inputs = by_hidden @ p["W1"].T
        by_preference = by_inputs[:, self.dimension :] * (1 - given.preference**2)
        return {
            "W0": weights.T @ by_preference,
            "b0": by_preference.sum(axis=0),
            "W1": given.inputs.T @ by_hidden,
            "b1": by_hidden.sum(axis=0),
            "W2": given.hidden.T @ by_logits,
            "b2": by_logits.sum(axis=0),
            "u": given.hidden.T @ by_values,
            "c": by_values.sum(keepdims=True),
        }

    def chances(self, embedding: Array, quality_weight: float, models: Sequence[str]) -> list[float]:
        """Return the policy's probabilities of some models; one that it does not know is as likely as the average."""
        weights = np.array([[quality_weight, 1 - quality_weight]])
        logits = self.layers(self.parameters, embedding[None], weights).logits
        mean = float(logits.mean()) if logits.size else 0.0
        chances: list[float] = softmax(spread(logits, self.models, models, mean))[0].tolist()
        return chances


def allowed(logits: Array, models: NDArray[np.bool_]) -> Array:
    """Return the probabilities of the models that are allowed, `[n, m]`; the others have none."""
    return softmax(np.where(models, logits, _NEVER))
