"""How a policy hedges, as users write it."""

from __future__ import annotations

from pydantic import Field

from gateway.config.written import Written


class HedgeConfig(Written):
    """When a second model is asked because the chosen one is slower than usual, and what that may cost."""

    percentile: float = Field(
        95.0,
        ge=50,
        le=99.9,
        description="A second model is asked where the chosen one has not begun to answer within the time in which it "
        "began this percentage of its latest answers.",
    )
    max_share: float = Field(0.05, gt=0, le=1, description="Share of the requests for which that is done at most.")
    max_usd_per_day: float | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="USD that the models which did not answer first may take in a day (UTC); by default whatever they "
        "do.",
    )
