"""Learning from live traffic, as users write it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from gateway.config.written import Written


class LearningConfig(Written):
    """Who learns from the log, and how often."""

    run: Literal["child", "external"] = Field(
        "child",
        description="Who learns: `child`, a process that `serve` starts, and that ends with it; `external`, "
        "`pointsman learn`, which somebody else starts.",
    )
    interval_s: PositiveFloat = Field(
        5.0, description="Seconds between two looks at what is new; what was learned is in force soon after."
    )


class PolicyLearningConfig(Written):
    """Whether a policy's routers go on learning while they serve."""

    enabled: bool | None = Field(
        None,
        description="By default those routers learn that learn online; `true`: the others are fitted anew from time to "
        "time; `false`: none learns.",
    )
    refit_every_s: PositiveFloat = Field(
        3600.0, description="Seconds between two fits of a router that does not learn online."
    )
    window: PositiveInt = Field(
        10_000, description="Rated answers that such a router is fitted to at most, the newest."
    )
