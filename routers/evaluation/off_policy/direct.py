"""The direct method: what a model of the rewards expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.evaluation.off_policy.estimate import Estimate, mean_of

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Sample


def direct(sample: Sample) -> Estimate:
    """Estimate the policy's mean value by what is expected of its choices: `mean sum_a target q`.

    Needed are `target` and `expected`. Its interval knows of the requests alone and nothing of the error of what is
    expected, which is most of its error: it is not to be relied upon.
    """
    return mean_of((sample.target * sample.expected).sum(axis=1), sample.clusters)
