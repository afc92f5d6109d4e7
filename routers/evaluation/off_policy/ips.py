"""Inverse propensity scoring: what came of it, weighed by how much likelier the policy makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.evaluation.off_policy.estimate import Estimate, mean_of
from routers.evaluation.off_policy.unseen import with_unseen

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Sample


def ips(sample: Sample) -> Estimate:
    """Estimate the policy's mean value, without bias where the log could have drawn all that it chooses: `mean w y`.

    Needed are `target`, `logged`, `actions`, `values` and `seen`, and for the interval `expected`. It varies with the
    sum of the weights, which is known to be one on average.

    Horvitz and Thompson, "A Generalization of Sampling Without Replacement from a Finite Universe" (1952).
    """
    return with_unseen(mean_of(sample.weights * sample.observed, sample.clusters), sample, 0.0)
