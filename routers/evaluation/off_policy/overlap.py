"""How far a log can speak of a policy at all: weights, what was never tried, and how many rows are left in effect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Column, Indices, Sample


@dataclass(frozen=True, slots=True)
class Overlap:
    """What of a policy a log has seen.

    `rows` is how many there are, `observed` of how many the value is known. `effective` is how many rows drawn by the
    policy itself would say as much, as the weights are, or as the distributions say that they are on average, whichever
    is less: heavy weights may not have been drawn. `largest` is the largest weight. `unsupported` is the share of the
    policy's probability that goes where the log gives none, or says none.
    """

    rows: int
    observed: int
    effective: float
    largest: float
    unsupported: float


def overlap(sample: Sample) -> Overlap:
    """Return what of the policy the log has seen. Kish, "Survey Sampling" (1965), on the effective sample size."""
    weights = sample.weights
    seen = sample.seen > 0
    return Overlap(
        rows=sample.n,
        observed=int(seen.sum()),
        effective=min(effective_size(weights), _expected_size(sample)),
        largest=float(weights.max(initial=0.0)),
        unsupported=float(unsupported(sample).mean()) if sample.n else 0.0,
    )


def effective_size(weights: Column) -> float:
    """Return how many rows of equal weight would say as much."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def unsupported(sample: Sample) -> Column:
    """Return the part of each row's target that goes where the log has no probability, `[n]`."""
    found: Column = np.where(sample.logged > 0, 0.0, sample.target).sum(axis=1)
    return found


def by_model(sample: Sample) -> tuple[Column, Column]:
    """Return of each model, `[m]` both, the share of the policy's probability, and that which is not supported."""
    n = max(sample.n, 1)
    gone = np.where(sample.logged > 0, 0.0, sample.target)
    return sample.target.sum(axis=0) / n, gone.sum(axis=0) / n


def effective_by_model(sample: Sample) -> Column:
    """Return the effective number of observed rows that each model has, `[m]`."""
    weights = sample.weights
    return np.array([effective_size(weights[sample.actions == model]) for model in range(sample.target.shape[1])])


def observed_by_model(sample: Sample) -> Indices:
    """Return how many observed rows each model has, `[m]`."""
    seen = sample.actions[sample.seen > 0]
    return np.bincount(seen, minlength=sample.target.shape[1]).astype(np.intp)


def _expected_size(sample: Sample) -> float:
    """Return the effective size that the distributions alone lead to expect, whatever was drawn.

    A weight squared is expected to be `sum target ** 2 / logged`; of a value that is observed now and then, one over
    the chance of that more.
    """
    squares = float((sample.target * sample.ratios).sum())
    scarcity = float(sample.seen @ sample.seen) / float(sample.seen.sum()) if sample.seen.any() else math.inf
    return sample.n**2 / (squares * max(scarcity, 1.0)) if squares > 0 else 0.0
