"""Similarity-weighted Bradley-Terry: who wins on requests like this one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.bradley_terry import battles_of, beaten, rate
from routers.columns import spread
from routers.estimators.constant import PRIOR, averages
from routers.odds import sigmoid
from routers.platt import INTERCEPT_PRECISION, Platt
from routers.rows import Rows
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, FloatArray, Outcomes

    Array = NDArray[np.float64]

#: Rows, evenly spread over those learned, on which rewards are compared with ratings.
CALIBRATION_ROWS = 1000


@dataclass(frozen=True, slots=True)
class _Near:
    """The rows nearest to a request: rewards `[k, m]`, and what their battles weigh `[k]`."""

    rewards: FloatArray
    weights: Array


@dataclass(frozen=True, slots=True)
class _Learned:
    """Rows, the ratings over all of them `[m]`, and what rewards a rating stands for."""

    rows: Rows
    ratings: Array
    platt: Platt
    variances: Array  # [m], of the intercepts
    decided: float  # share of the battles that were no ties
    rated: NDArray[np.bool_]  # [m], whether the model was observed on a request with an embedding


class SimilarityBradleyTerry:
    """Estimate a model's reward from its rating among the models on the nearest requests.

    Any two models observed on a row fought there: the higher reward won, equal rewards tied. For a request the
    battles of row i weigh `base ** (cosine_i / highest cosine - 1)`, and ratings are fitted to them by weighted
    Bradley-Terry: a beats b with probability `sigmoid(rating_a - rating_b)`, a tie being half a win of each.
    Platt scaling makes a reward of a rating, `sigmoid(slope * (rating - mean rating) + intercept)`, with one
    slope for all models and an intercept for each; it is found on some rows, each rated without itself.

    RouteLLM's released code weighs all battles, `10 * 10 ** (cosine / highest)`, fits a logistic regression for
    each request, merges models into ten tiers beforehand, and returns the probability that one of two models
    wins. Here only the `neighbours` nearest rows fight, their ratings drawn towards those of all rows as by
    `prior` battles of each model; the nearest row's battles count once; a few steps of Newton's method on the
    table of who beat whom take the regression's place; every model is rated, and rewards are made of ratings.

    What battles never tell is how hard a request is for all models alike: this estimator tells models apart.
    The standard error comes from the likelihood's curvature; a row's battles count as often as its observations.
    A request without an embedding, or without a row at a positive cosine, gets the model's mean; a model never
    observed gets 0.5 with a standard error of 0.5. Search is exact and takes time in proportion to the rows.

    Parameters: `neighbours`, how many rows fight; `base`, by what factor the nearest row outweighs one at a
    cosine of zero; `prior`, the weight of the ratings over all rows, in battles of each model; `max_rows`, after
    which the oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> embeddings = np.tile(np.eye(2, dtype=np.float32), (50, 1))
    >>> gap = np.full((100, 2), np.nan, np.float32)
    >>> ratings = SimilarityBradleyTerry(neighbours=10)
    >>> ratings.learn(Outcomes(("poet", "coder"), embeddings, embeddings, gap, gap))
    >>> verse = Context("a sonnet", 2, embedding=np.array([1, 0], np.float32))
    >>> poet, coder = ratings.predict([verse], [Candidate("poet"), Candidate("coder")]).mean[0].tolist()
    >>> poet > 0.8 > 0.2 > coder
    True

    RouteLLM (https://arxiv.org/abs/2406.18665), "similarity-weighted ranking".
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(self, neighbours: int = 200, base: float = 10.0, prior: float = 10.0, max_rows: int = 100_000) -> None:
        if neighbours < 1 or max_rows < 1:
            raise ValueError(f"neighbours={neighbours} and max_rows={max_rows} must be at least 1")
        if base < 1 or prior <= 0:
            raise ValueError(f"base={base} must be at least 1 and prior={prior} positive")
        self.neighbours = neighbours
        self.base = base
        self.prior = prior
        self.max_rows = max_rows
        self._learned = self._fitted(Rows.empty())

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        learned, models = self._learned, [candidate.model for candidate in candidates]
        average = averages(learned.rows.tally.of_models(models))
        found = np.tile(average, (len(contexts), 1, 1))
        for row, context in enumerate(contexts):
            near = self._near(learned.rows, context.embedding)
            if near is not None:
                said = np.where(learned.rated, self._expected(learned, near), np.nan)
                said = spread(said, learned.rows.models, models, np.nan)
                found[row] = np.where(np.isnan(said), average, said)
        mean, std = found.transpose(1, 0, 2)
        return Estimates(mean.astype(np.float32), np.minimum(std, PRIOR.std).astype(np.float32))

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and rate and calibrate again.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        self._learned = self._fitted(self._learned.rows.append(outcomes, self.max_rows))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, and what was fitted to them."""
        learned = self._learned
        return {
            **learned.rows.state(),
            "ratings": learned.ratings,
            "slope": np.array(learned.platt.slope),
            "intercepts": learned.platt.intercepts,
            "variances": learned.variances,
            "decided": np.array(learned.decided),
            "rated": learned.rated,
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        names = ("ratings", "slope", "intercepts", "variances", "decided")
        ratings, slope, intercepts, variances, decided = (state[name].astype(np.float64) for name in names)
        rows, rated = Rows.restored(state, self.max_rows), state["rated"].astype(np.bool_)
        self._learned = _Learned(rows, ratings, Platt(float(slope), intercepts), variances, float(decided), rated)

    def _near(self, rows: Rows, embedding: FloatArray | None, but: int | None = None) -> _Near | None:
        """Find the nearest rows at a positive cosine, one row left out; None where there are none."""
        nearest, cosines = rows.nearest(embedding, self.neighbours, but)
        alike = cosines > 0
        if not alike.any():
            return None
        close = cosines[alike].astype(np.float64)
        return _Near(rows.rewards[nearest[alike]], self.base ** (close / close.max() - 1))

    def _rated(self, ratings: Array, near: _Near) -> tuple[Array, Array]:
        """Return ratings less their mean, and the variances of these differences, both `[m]`."""
        local, covariance = rate(beaten(near.rewards, near.weights), ratings, self.prior)
        across = covariance.mean(axis=0)
        return local - local.mean(), np.maximum(covariance.diagonal() - 2 * across + across.mean(), 0)

    def _expected(self, learned: _Learned, near: _Near) -> tuple[Array, Array]:
        scores, variances = self._rated(learned.ratings, near)
        expected = sigmoid(learned.platt.logits(scores))
        # Results vary less than won and lost would where many are ties.
        error = np.sqrt(learned.platt.slope**2 * learned.decided * variances + learned.variances)
        return expected, expected * (1 - expected) * error

    def _fitted(self, rows: Rows) -> _Learned:
        """Rate the models over all rows, then compare rewards with ratings on some."""
        usable = np.asarray(rows.embeddings.any(axis=1))
        count = len(rows.models)
        wins, decided = battles_of(rows.rewards[usable])
        ratings, _ = rate(wins, np.zeros(count), self.prior)
        chosen = _calibration(rows.rewards, usable)
        near = [self._near(rows, rows.embeddings[row], but=row) for row in chosen]
        rated = [np.zeros(count) if there is None else self._rated(ratings, there)[0] for there in near]
        scores = np.array(rated).reshape(len(chosen), count)
        rewards = rows.rewards[chosen]
        platt = Platt.fit(scores, rewards) if len(chosen) else Platt.identity(count)
        expected = sigmoid(platt.logits(scores))
        information = np.where(np.isnan(rewards), 0, expected * (1 - expected)).sum(axis=0) + INTERCEPT_PRECISION
        return _Learned(rows, ratings, platt, 1 / information, decided, np.asarray(~np.isnan(rewards).all(axis=0)))


def _calibration(rewards: FloatArray, usable: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Choose rows evenly: of all, and for each model of those where it was observed, lest a rare one be missed."""
    observed = [np.flatnonzero(usable & ~np.isnan(column)) for column in rewards.T]
    rare = [_evenly(rows, CALIBRATION_ROWS // len(observed)) for rows in observed]
    return np.unique(np.concatenate([_evenly(np.flatnonzero(usable), CALIBRATION_ROWS), *rare]))


def _evenly(rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.intp)]
