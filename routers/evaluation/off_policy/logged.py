"""A log in columns, and what is to be known of one quantity in it before any policy is estimated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.off_policy.expectations import Observed, cross_fitted
from routers.evaluation.off_policy.features import features_of
from routers.evaluation.off_policy.folds import folds_of
from routers.evaluation.off_policy.observing import chances, seen_weights
from routers.evaluation.off_policy.sample import Sample

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Indices, Matrix
    from routers.types import FloatArray


@dataclass(frozen=True, slots=True)
class Logged:
    """What was logged of `n` requests, in columns.

    `probabilities` `[n, m]` are the distributions that the `actions` `[n]` were drawn from; 0: could not be drawn, NaN:
    nobody wrote it down. `embeddings` `[n, d]` are zeros where there is none, `tokens` `[n]` the length of the prompts,
    `ages` `[n]` seconds from the request to the end of the log: what is young may still be rated. Rows of the same of
    the `clusters` `[n]` depend on each other. `features` and `folds` follow from these.
    """

    probabilities: Matrix
    actions: Indices
    embeddings: FloatArray
    tokens: Column
    ages: Column
    clusters: Indices
    features: Matrix = field(init=False)
    folds: Indices = field(init=False)

    def __post_init__(self) -> None:
        """Compute what all quantities share."""
        object.__setattr__(self, "features", features_of(self.embeddings, self.tokens))
        object.__setattr__(self, "folds", folds_of(self.clusters))


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing that came of requests: `values` `[n]`, `seen` `[n]` and `expected` `[n, m]`, as a `Sample` has them."""

    values: Column
    seen: Column
    expected: Matrix


def quantity(log: Logged, values: Column, trust: Column | None = None, known: Column | None = None) -> Quantity:
    """Return a quantity with the chances of being observed, and what is expected of each model.

    `values` `[n]` are NaN where nothing was observed. `trust` `[n]` in (0, 1] says how far each is one: a value that is
    trusted by half is half observed. `known` `[n]` are the probabilities of being observed where they are known, since
    somebody drew lots, and NaN elsewhere.
    """
    there = np.isfinite(values)
    observed = np.where(there, 1.0 if trust is None else trust, 0.0)
    chance = chances(np.column_stack([log.features, _young(log.ages)]), log.actions, observed, log.folds)
    if known is not None:
        # Trust is part of the chance: what is drawn by lot and half trusted is half observed.
        chance = np.where(np.isfinite(known) & (observed > 0), known * observed, chance)
    seen = seen_weights(observed, chance)
    models = log.probabilities.shape[1]
    expected = cross_fitted(Observed(log.features, log.actions, values, observed), models, log.folds)
    return Quantity(values, seen, expected)


def sample(log: Logged, found: Quantity, target: Matrix) -> Sample:
    """Return what the log says of a policy that chooses by `target` `[n, m]`."""
    return Sample(target, log.probabilities, log.actions, found.values, found.seen, found.expected, log.clusters)


def _young(ages: Column) -> Column:
    """Return the logarithm of the ages, with the mean zero and the variance one."""
    logs = np.log1p(np.maximum(ages, 0.0))
    spread = logs.std()
    return (logs - logs.mean()) / spread if spread > 0 else np.zeros_like(logs)
