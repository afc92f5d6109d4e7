"""What a log may not have drawn: rare choices of great weight, of which a sample's own variance knows nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routers.evaluation.off_policy.estimate import Estimate
    from routers.evaluation.off_policy.sample import Sample


def with_unseen(estimate: Estimate, sample: Sample, centre: float) -> Estimate:
    """Return an estimate with at least the standard error that the distributions lead to expect.

    A choice that is likely under the policy, and so unlikely in the log that it was not drawn once, moves a weighted
    mean a long way in another log. What is expected of it says how far: `mean sum_a target ** 2 / logged (q - centre)
    ** 2 / n`. It is less than what was observed, and changes nothing, unless such choices matter.
    """
    squares = float((sample.target * sample.ratios * (sample.expected - centre) ** 2).sum())
    return replace(estimate, least=math.sqrt(squares) / sample.n) if math.isfinite(squares) else estimate
