"""Item response: requests are test items with a difficulty, models are examinees with an ability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routers.columns import spread, union
from routers.estimators._calibration import Descent
from routers.estimators._examination import Examination
from routers.estimators.constant import alike
from routers.rows import Rows, rounded_units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, Estimates, FloatArray, Outcomes


class IRT:
    """Estimate a reward as the chance that a model of some ability masters a request of some difficulty.

    With the embedding e of the request and the ability theta of the model,

        p = sigmoid(a (theta - b)),  a = softplus(w_a . e + c_a),  b = w_b . e + c_b

    or, in more dimensions than one, `p = sigmoid(a . theta - b)`. Difficulty and slope are fitted by Adam to the
    cross-entropy of all rewards observed; abilities and their covariances are then exact, given the items. The
    standard error takes in that of the ability and that of the difficulty, and grows away from what was seen.

    One number a model cannot say that it is good at law and bad at mathematics; more dimensions can. A new model
    needs an ability alone, which some tens of outcomes tell (`adopt`), best of requests whose outcome is most in
    doubt (`informative`). A request without an embedding, and a model observed on no other, gets the model's mean.

    Parameters: `dimensions` of an ability; `epochs`, passes over the rows; `learning_rate`; `weight_decay`, the
    precision of the weights' prior, in observations; `seed` of the rows' order; `max_rows`, after which the
    oldest are dropped.

    >>> from routers.types import Candidate, Context, Outcomes
    >>> embeddings = np.eye(2, dtype=np.float32)[[0, 1] * 20]
    >>> rewards = np.tile(np.array([[1, 1], [1, 0]], np.float32), (20, 1))
    >>> irt = IRT()
    >>> irt.learn(Outcomes(("able", "weak"), embeddings, rewards, rewards * np.nan, rewards * np.nan))
    >>> easy, hard = (Context("", 1, embedding=e) for e in np.eye(2, dtype=np.float32))
    >>> irt.predict([easy, hard], [Candidate("able"), Candidate("weak")]).mean.round().tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    >>> irt.difficulty(easy) < irt.difficulty(hard)
    True

    RADAR (https://arxiv.org/abs/2509.25426); in several dimensions IRT-Router (https://arxiv.org/abs/2506.01048).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(
        self,
        *,
        dimensions: int = 1,
        epochs: int = 30,
        learning_rate: float = 0.1,
        weight_decay: float = 30.0,
        seed: int = 0,
        max_rows: int = 100_000,
    ) -> None:
        if min(dimensions, epochs, max_rows) < 1:
            raise ValueError(f"dimensions={dimensions}, epochs={epochs} and max_rows={max_rows} must be at least 1")
        if learning_rate <= 0 or weight_decay < 0:
            raise ValueError(
                f"learning_rate={learning_rate} must be positive, weight_decay={weight_decay} not negative"
            )
        self.dimensions = dimensions
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed
        self.max_rows = max_rows
        self._rows = Rows.empty()
        self._fitted: Examination | None = None

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        models = [candidate.model for candidate in candidates]
        estimates = alike(self._rows.tally.of_models(models), len(contexts))
        embedded = _embedded(contexts)
        if self._fitted is None or not embedded:
            return estimates
        known = [column for column, model in enumerate(models) if model in self._fitted.models]
        chances, errors = self._fitted.mastery(self._inputs(contexts, embedded), [models[n] for n in known])
        cells = np.ix_(embedded, known)
        estimates.mean[cells], estimates.std[cells] = chances, errors
        return estimates

    def difficulty(self, context: Context) -> float | None:
        """Return how hard a request is, on the scale of abilities; None where that cannot be said.

        Nothing was learned yet, or the request has no embedding.
        """
        if self._fitted is None or context.embedding is None:
            return None
        return float(self._fitted.calibration.difficulty(self._inputs([context], [0]))[0])

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and fit anew."""
        rows = self._rows.append(outcomes, self.max_rows)
        usable = rows.embeddings.any(axis=1)
        embeddings, rewards = rows.embeddings[usable], rows.rewards[usable]
        seen = np.flatnonzero((~np.isnan(rewards)).any(axis=0))
        models = tuple(rows.models[column] for column in seen)
        descent = Descent(self.dimensions, self.epochs, self.learning_rate, self.weight_decay, self.seed)
        self._fitted = Examination.fitted(models, embeddings, rewards[:, seen], descent) if models else None
        self._rows = rows

    def adopt(self, model: str, outcomes: Outcomes) -> None:
        """Take in a model by its rewards alone: it gets an ability, and nothing else changes.

        What was known of this model before is forgotten; other models' rewards are not looked at. Raises
        `ValueError` where nothing was learned yet, or no reward of the model with an embedding is given.
        """
        rewards, embeddings = outcomes.of_models([model]).rewards[:, 0], rounded_units(outcomes.embeddings)
        usable = embeddings.any(axis=1) & ~np.isnan(rewards)
        if self._fitted is None or not usable.any():
            raise ValueError(f"model {model!r} cannot be adopted: nothing was learned yet, or nothing observed of it")
        self._rows.check_length(embeddings.shape[1])
        self._fitted = self._fitted.joined(model, embeddings[usable], rewards[usable])
        self._rows = _with_column(self._rows, model, embeddings, rewards)

    def informative(self, contexts: Sequence[Context], asked: Mapping[int, float]) -> int:
        """Return which context would tell most of a model that earned the rewards `asked`, by a context's number.

        Adaptive testing: that with the largest Fisher information at the ability that these rewards make most
        probable. A reward of NaN is awaited, or never came; its context is not asked again either. Raises
        `ValueError` where nothing was learned yet, or no context with an embedding is left.
        """
        left = [n for n in _embedded(contexts) if n not in asked]
        if self._fitted is None or not left:
            raise ValueError("nothing is left to ask: nothing was learned yet, or every embedded context was asked")
        answered = [n for n in _embedded(contexts) if n in asked]
        rewards = np.array([asked[n] for n in answered], np.float64)
        gains = self._fitted.information(self._inputs(contexts, left), self._inputs(contexts, answered), rewards)
        return left[int(gains.argmax())]

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the rows, and what was fitted to them."""
        return {**self._rows.state(), **(self._fitted.state() if self._fitted else {})}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        # All rows are kept until it learns: without those of the adopted, their ability could not be fitted again.
        self._rows = Rows.restored(state, max(self.max_rows, len(state["rewards"])))
        self._fitted = Examination.restored(state)

    def _inputs(self, contexts: Sequence[Context], rows: Sequence[int]) -> FloatArray:
        """Return the embeddings of some contexts, which all have one. Raises `ValueError` for another length."""
        found = [embedding for row in rows if (embedding := contexts[row].embedding) is not None]
        for embedding in found:
            self._rows.check_length(len(embedding))
        return np.stack(found) if found else np.zeros((0, self._rows.embeddings.shape[1]), np.float32)


def _embedded(contexts: Sequence[Context]) -> list[int]:
    return [n for n, context in enumerate(contexts) if context.embedding is not None]


def _with_column(rows: Rows, model: str, embeddings: FloatArray, rewards: FloatArray) -> Rows:
    """Return the rows and these of one model, of which the others' are all that is known otherwise."""
    models = union(rows.models, (model,))
    old = spread(rows.rewards, rows.models, models, np.nan)
    old[:, models.index(model)] = np.nan
    new = spread(rewards[:, None].astype(np.float32), (model,), models, np.nan)
    return Rows.of(models, np.concatenate([rows.embeddings, embeddings]), np.concatenate([old, new]))
