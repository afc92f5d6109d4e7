"""A neural network of one hidden layer, and what it is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.fit import LEAST_WEIGHT
from routers.leverage import Leverage
from routers.odds import chances, sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from routers.descent import Parameters
    from routers.types import FloatArray

    Array = NDArray[np.float64]

#: By how much log-odds are thought to vary between requests before anything is known.
VARIETY = 2.0

#: How near to 0 and 1 the chances come that training begins with.
MARGIN = 0.01

_ARRAYS = ("inner", "offsets", "outer", "intercepts", "weights", "penalties")
_LEAST_POWER = 1e-12


@dataclass(frozen=True, slots=True)
class Network:
    """The weights of `h` hidden units, and what says how certain the outputs are.

    `inner` is `[h, d]`, `offsets` `[h]`, `outer` `[m, h]`; the others are `[m]`, NaN for a model without rows to
    fit. `weights` are the means of `p (1 - p)` over the rows, `penalties` those of `outer` in units of it.
    """

    inner: Array
    offsets: Array
    outer: Array
    intercepts: Array
    weights: Array
    penalties: Array
    leverage: Leverage

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Network:
        """Return what `state` returned. Raises `KeyError`."""
        return cls(**{name: state[name] for name in _ARRAYS}, leverage=Leverage.restored(state))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _ARRAYS} | self.leverage.state()

    def at(self, embedding: FloatArray) -> Array:
        """Return mean and standard error for one request, `[2, m]`."""
        hidden = np.maximum(np.vecdot(self.inner, embedding.astype(np.float64)) + self.offsets, 0)
        odds = np.vecdot(self.outer, hidden) + self.intercepts
        return chances(odds, np.sqrt(self.leverage.at(hidden, self.penalties) / self.weights))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a network is trained on: `n` points, of length `d`, scaled to variance one, and rewards of `m` models."""

    points: Array  # [n, d]
    rewards: Array  # [n, m], 0 where not observed
    observed: NDArray[np.bool_]  # [n, m]
    centre: Array  # [d]
    scale: float
    odds: Array  # [m], the log-odds of the models' means, NaN for a model without rows

    @classmethod
    def of(cls, embeddings: FloatArray, rewards: FloatArray, observed: NDArray[np.bool_]) -> Lesson:
        """Scale the points, and take the means."""
        points, known = embeddings.astype(np.float64), np.where(observed, rewards, 0).astype(np.float64)
        centre = points.mean(axis=0) if len(points) else np.zeros(points.shape[1])
        spread = float(np.sqrt(((points - centre) ** 2).mean())) if points.size else 0.0
        scale = 1 / spread if spread > 0 else 1.0
        count = observed.sum(axis=0)
        mean = np.clip(known.sum(axis=0) / np.maximum(count, 1), MARGIN, 1 - MARGIN)
        odds = np.where(count > 0, np.log(mean / (1 - mean)), np.nan)
        return cls((points - centre) * scale, known, observed, centre, scale, odds)

    def start(self, hidden: int, rng: np.random.Generator) -> Parameters:
        """Return first weights: random hidden units that say nothing yet."""
        length, models = self.points.shape[1], self.rewards.shape[1]
        inner = rng.standard_normal((length, hidden)) / np.sqrt(max(length, 1))
        outer = np.zeros((hidden, models))
        return {"inner": inner, "offsets": np.zeros(hidden), "outer": outer, "intercepts": np.zeros(models)}

    def gradient(self, parameters: Parameters, rows: NDArray[np.intp]) -> Parameters:
        """Return the gradient of the mean cross-entropy over what was observed in some rows."""
        points, observed = self.points[rows], self.observed[rows]
        hidden = np.maximum(points @ parameters["inner"] + parameters["offsets"], 0)
        p = sigmoid(hidden @ parameters["outer"] + parameters["intercepts"] + np.nan_to_num(self.odds))
        slope = np.where(observed, p - self.rewards[rows], 0) / observed.sum()
        back = (slope @ parameters["outer"].T) * (hidden > 0)
        return {
            "inner": points.T @ back,
            "offsets": back.sum(axis=0),
            "outer": hidden.T @ slope,
            "intercepts": slope.sum(axis=0),
        }

    def network(self, parameters: Parameters) -> Network:
        """Return the network for points as they were before scaling, with the certainty of its last layer."""
        hidden = np.maximum(self.points @ parameters["inner"] + parameters["offsets"], 0)
        odds = parameters["intercepts"] + self.odds
        p = sigmoid(hidden @ parameters["outer"] + odds)
        count = self.observed.sum(axis=0)
        weights = np.where(self.observed, p * (1 - p), 0).sum(axis=0) / np.where(count > 0, count, np.nan)
        weights = np.maximum(weights, LEAST_WEIGHT)
        inner = np.ascontiguousarray(parameters["inner"].T) * self.scale
        return Network(
            inner=inner,
            offsets=parameters["offsets"] - inner @ self.centre,
            outer=np.ascontiguousarray(parameters["outer"].T),
            intercepts=odds,
            weights=weights,
            penalties=_power(hidden) / VARIETY**2 / weights,
            leverage=Leverage.of(hidden, self.observed),
        )


def _power(hidden: Array) -> float:
    """Return the mean square distance of hidden units `[n, h]` from their mean; 1 where there is none to speak of."""
    power = float(((hidden - hidden.mean(axis=0)) ** 2).sum(axis=1).mean()) if len(hidden) else 0.0
    return power if power > _LEAST_POWER else 1.0
