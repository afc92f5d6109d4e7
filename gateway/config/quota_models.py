"""The section `quotas`, as users write it: for all, and for one key."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from gateway.config.written import Name, Written

#: Counts are exact up to here: 2 to the 53rd, which as nano-dollars is nine million dollars.
MOST = 9_000_000_000_000_000
MOST_USD = 9_000_000


class OwnQuotaConfig(Written):
    """A quota that one key has for itself."""

    name: Name = Field(description="Its name, in errors and in the trace.")
    unit: Literal["requests", "tokens", "usd", "concurrent"] = Field(
        description="What is counted: requests, tokens of prompt and answer, USD, or requests under way at a time."
    )
    amount: Decimal = Field(gt=0, description="How much of it; whole, unless it is USD.")
    window: Literal["minute", "hour", "day", "month"] | None = Field(
        None, description="In which time: the calendar's minute, hour, day or month, in UTC. None with `concurrent`."
    )
    when_out: Literal["refuse", "downgrade"] = Field(
        "refuse",
        description="`refuse`: requests pass until it is used up. `downgrade`: money becomes dearer as a quota in USD "
        "nears its end, so that candidates get cheaper; at the end requests are refused all the same.",
    )
    from_: float | None = Field(
        None, alias="from", ge=0, lt=1, description="With `downgrade`: from which share used on; by default 0.8."
    )
    unpriced: Literal["refuse", "allow"] = Field(
        "refuse", description="What to do with requests whose price is unknown, which USD cannot count."
    )
    pace: bool = Field(
        default=False, description="Whether a quota in USD is spent evenly over its window, at the best quality."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse what says nothing, or nothing that can be counted."""
        if (self.window is None) != (self.unit == "concurrent"):
            raise ValueError("`window` is for what is counted over time, and `concurrent` is not")
        if self.unit != "usd":
            if self.amount != self.amount.to_integral_value() or self.amount > MOST:
                raise ValueError(f"`amount` has to be a whole number of {self.unit}, and at most {MOST}")
            if self.when_out == "downgrade" or self.pace or self.unpriced == "allow":
                raise ValueError("`when_out: downgrade`, `pace` and `unpriced` are for quotas in USD")
        elif self.amount > MOST_USD or self.amount != round(self.amount, 9):
            raise ValueError(f"`amount` may have nine digits after the point, and be {MOST_USD} at most")
        if self.from_ is not None and self.when_out != "downgrade":
            raise ValueError("`from` goes with `when_out: downgrade`")
        return self


class QuotaConfig(OwnQuotaConfig):
    """A quota that holds for all: each holder has a count of its own."""

    per: Literal["key", "user", "team", "tag", "model", "policy", "everyone"] = Field(
        description="Whose requests are counted together. A user is whom the request names as `user`."
    )
    of: tuple[str, ...] | None = Field(
        None, min_length=1, description="Only those of these names; by default every one."
    )

    @model_validator(mode="after")
    def _holders_fit(self) -> Self:
        """Refuse what no holder could have."""
        if self.of is not None and self.per == "everyone":
            raise ValueError("`of` names some, and `per: everyone` is all")
        if self.per == "model" and (self.when_out == "downgrade" or self.pace):
            raise ValueError(
                "`when_out: downgrade` and `pace` are for those who spend; a model whose quota is used up is not asked"
            )
        return self
