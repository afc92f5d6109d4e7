"""Costs and latencies as shares of the greatest: numbers in [0, 1]."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def shares(values: Sequence[float]) -> list[float]:
    """Divide by the greatest value; all are zero where that is.

    >>> shares([1.0, 4.0])
    [0.25, 1.0]
    """
    greatest = max(values, default=0.0)
    return [value / greatest if greatest > 0 else 0.0 for value in values]


def completed(latencies_s: Sequence[float]) -> list[float]:
    """Count unknown latencies (NaN) as the longest one known, and as zero where none is.

    >>> completed([0.5, math.nan, 2.0])
    [0.5, 2.0, 2.0]
    """
    longest = max((latency for latency in latencies_s if not math.isnan(latency)), default=0.0)
    return [longest if math.isnan(latency) else latency for latency in latencies_s]
