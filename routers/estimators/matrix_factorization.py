"""Matrix factorization: a vector for each model, found from which of two models did better on a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routers.battles import Battles
from routers.columns import spread, union
from routers.duels import Descent
from routers.parts import below, prefixed
from routers.readout import Readout, Seen, held_out, slope_of, stacked
from routers.rows import Rows, check_length
from routers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.descent import Array
    from routers.types import Candidate, Context, Estimates, FloatArray, Outcomes


@dataclass(frozen=True, slots=True)
class _Learned:
    """What was learned: rows, battles, and what was fitted to both. `projection` is `[q, d]`."""

    rows: Rows
    battles: Battles
    projection: Array
    readout: Readout


class MatrixFactorization:
    """Estimate a model's reward from a score that tells which of two models does better on a request.

    The score is `w . (v / |v| * P e)`: `e` is the request's embedding, `P` a projection to `dimension` numbers,
    `v` the model's vector, `w` weights. They are found by descent so that the sigmoid of the winner's score less
    the loser's is the probability that it wins, over battles: of each row learned, any two models whose rewards
    differ; and those given to `learn_battles`, where people or a judge preferred one of two answers. Noise is
    added to the embeddings meanwhile, which keeps the projection from learning the rows by heart.

    Platt scaling makes a reward of a score, `sigmoid(slope * (score - mean score) + intercept)`, with one slope
    for all models and an intercept for each. The slope is found on a fifth of the rows, with scores of a descent
    that has not seen them; the intercepts on all rows. What battles never tell is how hard a request is for all
    models alike: this estimator tells models apart. Where no rewards were learned, battles alone, the estimate
    is the probability to win against an average model, `sigmoid(score - mean score)`.

    The standard error is that of a logistic regression on the projected embeddings. A request without an
    embedding gets the model's mean reward (of battles alone: the share that it won, a tie being half); a model
    never observed gets 0.5 with a standard error of 0.5. Everything is fitted again whenever something is
    learned, in time proportional to `pairs` and `epochs`.

    Parameters: `dimension`, the length of a model's vector; `epochs`, how often each battle is gone through;
    `learning_rate` and `weight_decay`, of the descent (AdamW); `noise`, the standard deviation of what is added
    to each number of an embedding; `pairs`, how many battles are made of rows at most; `seed`, of what is drawn;
    `max_rows`, after which the oldest rows, and battles, are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> embeddings = np.tile(np.eye(2, dtype=np.float32), (50, 1))
    >>> gap = np.full((100, 2), np.nan, np.float32)
    >>> factors = MatrixFactorization(dimension=4, epochs=50, learning_rate=0.02)
    >>> factors.learn(Outcomes(("poet", "coder"), embeddings, embeddings, gap, gap))
    >>> verse = Context("a sonnet", 2, embedding=np.array([1, 0], np.float32))
    >>> poet, coder = factors.predict([verse], [Candidate("poet"), Candidate("coder")]).mean[0].tolist()
    >>> poet > 0.8 > 0.2 > coder
    True

    RouteLLM (https://arxiv.org/abs/2406.18665).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(  # noqa: PLR0913 - a constructor's arguments are the configuration
        self,
        dimension: int = 64,
        epochs: int = 5,
        *,
        learning_rate: float = 0.003,
        weight_decay: float = 0.1,
        noise: float = 0.1,
        pairs: int = 50_000,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        if dimension < 1 or epochs < 1:
            raise ValueError(f"dimension={dimension} and epochs={epochs} must be at least 1")
        if pairs < 1 or max_rows < 1:
            raise ValueError(f"pairs={pairs} and max_rows={max_rows} must be at least 1")
        if learning_rate <= 0 or weight_decay < 0 or noise < 0:
            raise ValueError(
                f"learning_rate={learning_rate} must be positive, "
                f"weight_decay={weight_decay} and noise={noise} must not be negative"
            )
        self.dimension = dimension
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.noise = noise
        self.pairs = pairs
        self.seed = seed
        self.max_rows = max_rows
        self._learned = self._fitted(Rows.empty(), Battles.empty())

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        learned = self._learned
        embeddings, usable = stacked(contexts, learned.projection.shape[1])
        features = np.vecdot(embeddings[:, None, :], learned.projection)
        return learned.readout.estimates(features, usable, [candidate.model for candidate in candidates])

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and fit again.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        learned = self._learned
        if len(learned.battles):
            check_length(outcomes.embeddings.shape[1], learned.battles.embeddings.shape[1])
        self._learned = self._fitted(learned.rows.append(outcomes, self.max_rows), learned.battles)

    def learn_battles(self, battles: Battles) -> None:
        """Append battles, drop the oldest beyond `max_rows`, and fit again.

        Raises `ValueError` where the embeddings have another length than those learned before.
        """
        learned = self._learned
        learned.rows.check_length(battles.embeddings.shape[1])
        self._learned = self._fitted(learned.rows, learned.battles.append(battles, self.max_rows))

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return rows, battles, and what was fitted to them."""
        learned = self._learned
        return {
            **prefixed("rows", learned.rows.state()),
            **prefixed("battles", learned.battles.state()),
            **prefixed("readout", learned.readout.state()),
            "projection": learned.projection,
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        rows = Rows.restored(below("rows", state), self.max_rows)
        battles = Battles.restored(below("battles", state))
        tally = _tally(rows, battles, union(rows.models, battles.models))
        readout = Readout.restored(below("readout", state), tally)
        self._learned = _Learned(rows, battles, state["projection"].astype(np.float64), readout)

    def _fitted(self, rows: Rows, battles: Battles) -> _Learned:
        models = union(rows.models, battles.models)
        made = Battles.of(rows, np.random.default_rng(self.seed), self.pairs).among(models)
        given = battles.among(models)
        tally = _tally(rows, battles, models)
        if not len(made) + len(given):
            return _Learned(rows, battles, np.zeros((0, rows.embeddings.shape[1])), Readout.empty(tally))
        rewards = spread(rows.rewards, rows.models, models, np.nan)
        slope = self._slope(rows.embeddings, rewards, made, given)
        projection, vectors = self._descent().run(made.append(given, len(made) + len(given)))
        usable = rows.embeddings.any(axis=1)
        # Of battles alone there are no rows, whose embeddings have no length.
        features = rows.embeddings[usable].reshape(-1, projection.shape[1]) @ projection.T
        fought = given.embeddings[given.rows] @ projection.T if len(given) else features[:0]
        seen = Seen(features, rewards[usable], fought, given.firsts, given.seconds)
        return _Learned(rows, battles, projection, Readout.fit(vectors, seen, tally, slope))

    def _slope(self, embeddings: FloatArray, rewards: FloatArray, made: Battles, given: Battles) -> float:
        """Descend on the battles of most rows, and return the slope of rewards over scores on the others."""
        held = held_out(len(embeddings))
        shown = made.take(~held[made.rows]).append(given, len(made) + len(given))
        unseen = held & embeddings.any(axis=1)
        if not len(shown) or not unseen.any():
            return 0.0
        projection, vectors = self._descent().run(shown)
        return slope_of(embeddings[unseen] @ projection.T, vectors, rewards[unseen])

    def _descent(self) -> Descent:
        return Descent(self.dimension, self.epochs, self.learning_rate, self.weight_decay, self.noise, self.seed)


def _tally(rows: Rows, battles: Battles, models: tuple[str, ...]) -> Tally:
    """Return each model's rewards, or its results in battles where it has no rewards."""
    rewards, results = rows.tally.of_models(models), battles.tally().of_models(models)
    return Tally(models, np.where(rewards.count > 0, rewards.moments, results.moments))
