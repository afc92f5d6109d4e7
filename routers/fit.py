"""What a fit says of requests, and each model's mean where it says nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from routers.columns import spread
from routers.estimators.constant import PRIOR
from routers.types import Estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routers.rows import Rows
    from routers.tally import Tally
    from routers.types import Candidate, Context, FloatArray

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


@lru_cache(maxsize=1024)
def averages(tally: Tally) -> Column:
    """Return the models' means and the standard errors of these, `[2, m]`; `PRIOR` for one never observed."""
    error = np.sqrt(tally.variance / np.maximum(tally.count, 1))
    prior = np.array([[PRIOR.mean], [PRIOR.std]])
    both: Column = np.where(tally.count > 0, np.stack([tally.mean, error]), prior)
    both.flags.writeable = False  # it is shared
    return both


def learnable(rows: Rows) -> NDArray[np.bool_]:
    """Tell which rewards a fit may use, `[n, m]`: those observed, of rows that have an embedding."""
    embedded = (rows.embeddings != 0).any(axis=1, keepdims=True)
    return np.asarray(~np.isnan(rows.rewards) & embedded)


def chances(odds: Column, error: Column) -> Column:
    """Turn log-odds and their standard errors, `[m]`, into those of a reward, `[2, m]`.

    The error is half the distance between the chances one error below and above: `p (1 - p)` times the error
    where that is small, and never more than `WIDEST`.

    >>> chances(np.array([0.0]), np.array([0.1])).round(4).tolist()
    [[0.5], [0.025]]
    """
    below, mean, above = sigmoid(np.stack([odds - error, odds, odds + error]))
    return np.stack([mean, (above - below) / 2])


def sigmoid(odds: Column) -> Column:
    """Return the chances of log-odds, without overflow however large these are."""
    return np.asarray(0.5 + 0.5 * np.tanh(odds / 2))
