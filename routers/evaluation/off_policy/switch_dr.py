"""SWITCH: doubly robust where the weights are small, what is expected where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from routers.evaluation.off_policy.dr import dr
from routers.evaluation.off_policy.estimate import Estimate, mean_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routers.evaluation.off_policy.sample import Column, Sample

#: Shares of the weights, by size, that candidates for the threshold leave below.
LEVELS: Final = (0.5, 0.75, 0.9, 0.95, 0.99)


def switch_dr(sample: Sample, threshold: float | None = None) -> Estimate:
    """Estimate as `dr` does, but without the correction where the policy is over `threshold` times as likely to choose.

    Needed are all columns. It trades bias for variance. Without a threshold the one is taken for which the sum of both
    is estimated to be least; see `threshold_of`.

    Wang, Agarwal and Dudik, "Optimal and Adaptive Off-policy Evaluation in Contextual Bandits"
    (https://arxiv.org/abs/1612.01205).
    """
    if threshold is None:
        threshold = threshold_of(sample)
    return mean_of(_values(sample, threshold), sample.clusters)


def threshold_of(sample: Sample) -> float:
    """Return the threshold whose estimated mean squared error is least, by the log alone; infinity is `dr` itself.

    The bias cannot be seen, but bounded: what is not corrected may be wrong by as much as values range over.
    """
    found = np.unique(np.quantile(sample.ratios[sample.target > 0], LEVELS)) if (sample.target > 0).any() else ()
    candidates: Sequence[float] = [*map(float, found), np.inf]
    return min(candidates, key=lambda threshold: _risk(sample, threshold))


def _risk(sample: Sample, threshold: float) -> float:
    if np.isinf(threshold):
        return dr(sample).error ** 2
    observed = sample.values[sample.seen > 0]
    spread = float(np.ptp(observed)) if len(observed) else 0.0
    switched = float((sample.target * (sample.ratios > threshold)).sum(axis=1).mean())
    return mean_of(_values(sample, threshold), sample.clusters).error ** 2 + (spread * switched) ** 2


def _values(sample: Sample, threshold: float) -> Column:
    kept = sample.at_actions(sample.ratios) <= threshold
    expected = (sample.target * sample.expected).sum(axis=1)
    surprise = sample.observed - sample.at_actions(sample.expected)
    found: Column = expected + np.where(kept, sample.weights, 0.0) * surprise
    return found
