"""The doubly robust estimate: what is expected, corrected by what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.evaluation.off_policy.estimate import Estimate, mean_of

if TYPE_CHECKING:
    from routers.evaluation.off_policy.sample import Sample


def dr(sample: Sample) -> Estimate:
    """Estimate the policy's mean value: `mean (sum_a target q + w (y - q))`.

    Needed are all columns. It is without bias if either the probabilities or the expectations are right; the better the
    expectations, the less the weights matter. Where rewards are missing, `w` holds the chance of being rated too, so
    that it is the augmented estimate of Robins, Rotnitzky and Zhao (1994).

    Dudik, Langford and Li, "Doubly Robust Policy Evaluation and Learning" (https://arxiv.org/abs/1103.4601).
    """
    expected = (sample.target * sample.expected).sum(axis=1)
    surprise = sample.observed - sample.at_actions(sample.expected)
    return mean_of(expected + sample.weights * surprise, sample.clusters)
