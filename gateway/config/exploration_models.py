"""How far a policy explores, as users write it."""

from __future__ import annotations

from pydantic import Field

from gateway.config.written import Written


class ExplorationConfig(Written):
    """Whether routers may try what does not look best, and what that may cost."""

    enabled: bool = Field(default=True, description="Whether its routers explore, as far as their options say.")
    max_usd_per_day: float | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="USD that choices may cost in a day (UTC) beyond what looks best; by default whatever they do.",
    )
