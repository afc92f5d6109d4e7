"""From latent features of a request to each model's expected reward, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread
from routers.estimators.constant import PRIOR, averages
from routers.odds import sigmoid
from routers.platt import INTERCEPT_PRECISION, Platt
from routers.rows import check_length
from routers.tally import Tally
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Context, FloatArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a readout is fitted to: features `[n, q]` with rewards `[n, m]`, and those of battles `[b, q]`.

    `firsts` and `seconds` `[b]` are who fought whom, as columns of the rewards.
    """

    features: Array
    rewards: FloatArray
    fought: Array
    firsts: NDArray[np.intp]
    seconds: NDArray[np.intp]

    @classmethod
    def of_rewards(cls, features: Array, rewards: FloatArray) -> Seen:
        """Return what was seen where nobody fought."""
        nobody = np.zeros(0, np.intp)
        return cls(features, rewards, features[:0], nobody, nobody)


#: Precision of a model's coefficients before anything was observed, for features of unit length.
COEFFICIENT_PRECISION = 1.0


@dataclass(frozen=True, slots=True)
class Readout:
    """A vector for each model, by which features `[q]` of a request become a reward.

    The score of a model is the product of its vector and the features, less the mean of all models'. Platt
    scaling makes a reward of it. The standard error takes a model's coefficients and intercept for those of a
    logistic regression on the features, which are held to be known: with `H` the information of all that was
    observed of the model and the prior's, it is `p (1 - p) sqrt(z' inverse(H) z)` for features `z`.

    A request without features gets the model's mean in `tally`, with its standard error; so does a model that
    was observed on such requests alone.
    """

    models: tuple[str, ...]
    vectors: Array  # [m, q]
    platt: Platt
    covariances: Array  # [m, q + 1, q + 1], the last for the intercept
    tally: Tally

    @classmethod
    def empty(cls, tally: Tally) -> Readout:
        """Return the readout that has every model's mean alone."""
        return cls((), np.zeros((0, 0)), Platt.identity(0), np.zeros((0, 1, 1)), tally)

    @classmethod
    def fit(cls, vectors: Array, seen: Seen, tally: Tally, slope: float) -> Readout:
        """Scale the scores of `vectors` `[m, q]`, for the models of `tally`, to what was seen.

        Where no reward was seen a score is a logit: the reward is the probability of winning against an average
        model.
        """
        vectors = vectors - vectors.mean(axis=0)
        scores = seen.features @ vectors.T
        platt = Platt.fit(scores, seen.rewards, slope)
        expected = sigmoid(platt.logits(scores))
        weights = np.where(np.isnan(seen.rewards), 0, expected * (1 - expected))
        margins = np.vecdot(seen.fought, vectors[seen.firsts] - vectors[seen.seconds])
        against = _one_each(seen, sigmoid(margins) * sigmoid(-margins), len(vectors))
        kept = np.flatnonzero(weights.any(axis=0) | against.any(axis=0))
        prior = np.diag([COEFFICIENT_PRECISION] * vectors.shape[1] + [INTERCEPT_PRECISION])
        information = _information(_padded(seen.features, 1), weights) + _information(_padded(seen.fought, 0), against)
        covariances = np.linalg.inv(information[kept] + prior).astype(np.float64)
        if not weights.any():
            covariances[:, :, -1] = covariances[:, -1, :] = 0
        models = tuple(tally.models[model] for model in kept)
        return cls(models, vectors[kept], Platt(platt.slope, platt.intercepts[kept]), covariances, tally)

    def estimates(self, features: Array, usable: NDArray[np.bool_], models: Sequence[str]) -> Estimates:
        """Estimate `models` for features `[n, q]`, of which those that are not usable are missing."""
        average = averages(self.tally.of_models(models))
        said = spread(np.stack(self._learned(features)), self.models, models, np.nan)
        mean, std = np.where(~usable[:, None] | np.isnan(said[0]), average[:, None], said)
        return Estimates(mean.astype(np.float32), np.minimum(std, PRIOR.std).astype(np.float32))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what it holds as arrays by name."""
        return {
            "models": np.array(self.models, dtype=np.str_),
            "vectors": self.vectors,
            "slope": np.array(self.platt.slope),
            "intercepts": self.platt.intercepts,
            "covariances": self.covariances,
            "averaged": np.array(self.tally.models, dtype=np.str_),
            "moments": self.tally.moments,
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]], tally: Tally) -> Readout:
        """Return what `state` returned. Raises `KeyError` where an array is missing.

        State that does not say whose the moments are gets the `tally` of what was learned: they may be of more models
        than have a vector.
        """
        names = ("vectors", "slope", "intercepts", "covariances", "moments")
        vectors, slope, intercepts, covariances, moments = (state[name].astype(np.float64) for name in names)
        models = tuple(state["models"].tolist())
        if "averaged" in state:
            tally = Tally(tuple(state["averaged"].tolist()), moments)
        return cls(models, vectors, Platt(float(slope), intercepts), covariances, tally)

    def _learned(self, features: Array) -> tuple[Array, Array]:
        """Return mean and standard error of its models, both `[n, m]`."""
        # Not `@`: BLAS would start threads for it, which wait for each other longer than one thread works.
        expected = sigmoid(self.platt.logits(np.vecdot(features[:, None, :], self.vectors)))
        padded = _padded(features, 1)
        spreads = np.vecdot(self.covariances, padded[:, None, None, :])
        variances = np.maximum(np.vecdot(spreads, padded[:, None, :]), 0)
        return expected, expected * (1 - expected) * np.sqrt(variances)


def held_out(rows: int) -> NDArray[np.bool_]:
    """Mark the fifth of the rows on which a slope is found, by a descent that has not seen them."""
    return np.asarray(np.arange(rows) % 5 == 4)


def slope_of(features: Array, vectors: Array, rewards: FloatArray) -> float:
    """Return the slope of rewards `[n, m]` over the scores of rows that the descent has not seen.

    On those that it has seen scores look better than they are. Without rewards it is 0: nobody knows.
    """
    if np.isnan(rewards).all():
        return 0.0
    return Platt.fit(features @ (vectors - vectors.mean(axis=0)).T, rewards).slope


def stacked(contexts: Sequence[Context], length: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return embeddings `[n, length]` and which there are; one that is missing becomes zeros.

    Raises `ValueError` for an embedding of another length.
    """
    embeddings = np.zeros((len(contexts), length))
    usable = np.zeros(len(contexts), np.bool_)
    for row, context in enumerate(contexts):
        if context.embedding is not None and length:
            check_length(len(context.embedding), length)
            embeddings[row], usable[row] = context.embedding, True
    return embeddings, usable


def _padded(features: Array, last: float) -> Array:
    return np.concatenate([features, np.full((len(features), 1), last)], axis=1)


def _information(features: Array, weights: Array) -> Array:
    """Return the information `[m, q, q]` that features `[n, q]` of some weights `[n, m]` hold of each model."""
    return np.stack([(features * weight[:, None]).T @ features for weight in weights.T])


def _one_each(seen: Seen, weights: Array, models: int) -> Array:
    """Give the weight `[b]` of each battle to both that fought, `[b, m]`."""
    given = np.zeros((len(weights), models))
    battles = np.arange(len(weights))
    given[battles, seen.firsts] = weights
    given[battles, seen.seconds] = weights
    return given
