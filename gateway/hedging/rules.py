"""When a policy hedges, and how often and for how much."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HedgeRules:
    """A second candidate is asked where the first one takes longer than `percentile` percent of its answers took.

    That is done for at most `max_share` of the requests, and may cost `max_usd_per_day` a day (None: no bound).
    """

    percentile: float = 95.0
    max_share: float = 0.05
    max_usd_per_day: float | None = None
