"""What a session may cost under a policy, as users write it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, PositiveInt

from gateway.config.quota_models import MOST_USD
from gateway.config.written import Written


class TaskConfig(Written):
    """The budget of a task: of all requests of one session."""

    max_usd: Decimal = Field(
        gt=0,
        le=MOST_USD,
        decimal_places=9,
        description="USD that all requests of a session may cost together; a request may ask for less "
        "(`x-pointsman-task-budget-usd`).",
    )
    step_tokens: PositiveInt = Field(
        4096, le=1_000_000, description="Most tokens of an answer whose request sets no limit: it is sent as one."
    )
    when_spent: Literal["refuse", "cheapest"] = Field(
        "refuse",
        description="What becomes of a request that too little is left for. `refuse`: 429, `budget_exceeded`. "
        "`cheapest`: the cheapest model answers, beyond the budget.",
    )
    cheaper_from: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Share used from which on money is dearer to routers that have a dial; by default never.",
    )
