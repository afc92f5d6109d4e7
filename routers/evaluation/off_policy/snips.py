"""Self-normalised inverse propensity scoring."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from routers.evaluation.off_policy.estimate import Estimate
from routers.evaluation.off_policy.unseen import with_unseen

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Sample


def snips(sample: Sample) -> Estimate:
    """Estimate the policy's mean value by a weighted mean: `sum w y / sum w`; NaN where no row has a weight.

    Needed are `target`, `logged`, `actions`, `values` and `seen`, and for the interval `expected`. Its bias is of the
    order 1/n, and its variance mostly far below that of `ips`.

    Swaminathan and Joachims, "The Self-Normalized Estimator for Counterfactual Learning" (NIPS 2015).
    """
    weights = sample.weights
    total = float(weights.sum())
    if total <= 0:
        return Estimate(math.nan, np.full(sample.n, math.nan), sample.clusters)
    value = float(weights @ sample.observed) / total
    found = Estimate(value, weights * (sample.observed - value) / total, sample.clusters)
    return with_unseen(found, sample, value)
