"""What a fit says of requests, each model's mean where it says nothing, and estimators that are a fit to rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

import numpy as np

from routers.columns import spread
from routers.estimators.constant import averages
from routers.rows import Rows
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from routers.types import Candidate, Context, FloatArray, Outcomes

    Arrays = Mapping[str, NDArray[np.generic]]
    Column = NDArray[np.float64]

#: The widest standard error that an expected reward in [0, 1] can have.
WIDEST = 0.5

#: The least that a row is taken to say about log-odds, where a fit is surer than it can be.
LEAST_WEIGHT = 1e-6


class Fit(Protocol):
    """What was fitted to some rows, for each of their models."""

    def at(self, embedding: FloatArray) -> Column:
        """Return mean and standard error for one request, `[2, m]`; NaN for a model that it says nothing of."""
        ...


class StoredFit(Fit, Protocol):
    """A fit that can be stored as arrays by name, other than those of `Rows`."""

    @classmethod
    def restored(cls, state: Arrays) -> Self:
        """Return what `state` returned, perhaps among other arrays. Raises `KeyError` where one is missing."""
        ...

    def state(self) -> Arrays:
        """Return the arrays by name."""
        ...


F = TypeVar("F", bound=StoredFit)


class Fitted(ABC, Generic[F]):
    """An estimator that keeps its rows, and is fitted to all of them again whenever something is learned.

    A subclass says how, in `_fitted`. Its constructor calls this one last, for that fits to no rows: `kind` is the
    class of its fits, `max_rows` after how many rows the oldest are dropped (`ValueError` where below one).
    """

    requires: frozenset[str] = frozenset({"embedding"})

    def __init__(self, kind: type[F], max_rows: int) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows={max_rows} must be at least 1")
        self.max_rows = max_rows
        self._kind = kind
        self._learn(Rows.empty())

    @abstractmethod
    def _fitted(self, rows: Rows) -> F:
        """Fit to these rows, from the start: there may be none, and of a model nothing `learnable`."""

    @property
    def learned(self) -> tuple[Rows, F]:
        """Return the rows, and the fit to them."""
        return self._learned

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate every candidate for every context.

        Raises `ValueError` where an embedding has another length than those learned.
        """
        rows, fit = self._learned
        return estimate(fit, rows, contexts, candidates)

    def learn(self, outcomes: Outcomes) -> None:
        """Append the rows, drop the oldest beyond `max_rows`, and fit again from the start.

        A row without an embedding counts towards its models' means alone. Raises `ValueError` where the
        embeddings have another length than those learned before.
        """
        self._learn(self._learned[0].append(outcomes, self.max_rows))

    def state(self) -> Arrays:
        """Return the rows and the fit."""
        rows, fit = self._learned
        return {**rows.state(), **fit.state()}

    def restore(self, state: Arrays) -> None:
        """Replace what was learned. Raises `KeyError` where an array is missing."""
        self._learned = Rows.restored(state, self.max_rows), self._kind.restored(state)

    def _learn(self, rows: Rows) -> None:
        # Both at once, so that who predicts meanwhile sees a fit and its own rows.
        self._learned = rows, self._fitted(rows)


def estimate(fit: Fit, rows: Rows, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
    """Ask the fit for every candidate and context; what it does not say is the model's mean over the rows.

    A model never observed gets `PRIOR`. Means are kept in [0, 1] and standard errors below `WIDEST`. Raises
    `ValueError` where an embedding has another length than those learned.
    """
    models = [candidate.model for candidate in candidates]
    average = averages(rows.tally.of_models(models))
    found = np.tile(average, (len(contexts), 1, 1))
    for row, context in enumerate(contexts):
        if context.embedding is not None and len(rows):
            rows.check_length(len(context.embedding))
            said = spread(fit.at(context.embedding), rows.models, models, np.nan)
            found[row] = np.where(np.isnan(said), average, said)
    limits = np.array([[1.0], [WIDEST]])
    mean, std = np.clip(found, 0, limits).astype(np.float32).transpose(1, 0, 2)
    return Estimates(mean, std)


def learnable(rows: Rows) -> NDArray[np.bool_]:
    """Tell which rewards a fit may use, `[n, m]`: those observed, of rows that have an embedding."""
    embedded = (rows.embeddings != 0).any(axis=1, keepdims=True)
    return np.asarray(~np.isnan(rows.rewards) & embedded)
