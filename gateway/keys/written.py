"""What may be said of a key by whoever makes or changes it, as pydantic models."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    field_validator,
    model_validator,
)

from gateway.config.written import Name
from gateway.keys.key import KeyQuota, Scopes, Unit, Window

if TYPE_CHECKING:
    from typing import Self


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("may hold no control characters")
    return text


def _no_id(name: str) -> str:
    if name.startswith("key_"):
        raise ValueError("may not begin with 'key_', as ids do")
    return name


#: What rules and the log see of a bearer.
Text = Annotated[str, Field(max_length=256), AfterValidator(_printable)]
KeyName = Annotated[Name, AfterValidator(_no_id)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(max_length=1000)]


class QuotaFields(BaseModel):
    """How much may be used: an amount of a unit, in a window unless it is of requests under way at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Unit
    amount: Decimal = Field(gt=0, le=10**15, allow_inf_nan=False, max_digits=25, decimal_places=9)
    window: Window | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.window is None) != (self.unit == "concurrent"):
            wanted = "no window" if self.unit == "concurrent" else "a window: minute, hour, day or month"
            raise ValueError(f"a quota of {self.unit} takes {wanted}")
        if self.unit != "usd" and self.amount % 1:
            raise ValueError(f"a quota of {self.unit} takes a whole number")
        return self

    def quota(self) -> KeyQuota:
        """Return it as a value."""
        return KeyQuota(self.unit, self.amount, self.window)


class KeyFields(BaseModel):
    """What a key allows, and what rules see of its bearer; see `Scopes`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    models: Names | None = Field(None, description="Models that may answer; by default all.")
    deny_models: Names = Field((), description="Models that may not answer.")
    policies: Names | None = Field(None, description="Names of policies and models to ask for; by default all.")
    data_class: str | None = Field(None, description="The least data class that requests count as.")
    max_cost_usd: NonNegativeFloat | None = Field(None, description="Most that one answer may be expected to cost.")
    role: Text = Field("", description="What rules see as `role`.")
    team: Text = Field("", description="What rules see as `team`.")
    user: Text = Field("", description="On whose behalf the key is used.")
    tags: Annotated[tuple[Text, ...], Field(max_length=100)] = Field((), description="What rules see as `caller.tags`.")
    debug: bool = Field(default=False, description="Whether the bearer may see how decisions were made.")
    expires_at: AwareDatetime | None = Field(None, description="Until when it is good; by default until revoked.")
    quotas: Annotated[tuple[QuotaFields, ...], Field(max_length=20)] = Field((), description="How much it may use.")

    @field_validator("quotas")
    @classmethod
    def _once(cls, quotas: tuple[QuotaFields, ...]) -> tuple[QuotaFields, ...]:
        kinds = [(quota.unit, quota.window) for quota in quotas]
        if len(set(kinds)) < len(kinds):
            raise ValueError("each unit may be limited once in a window")
        return quotas

    def scopes(self, before: Scopes) -> Scopes:
        """Return scopes in which what is given here stands in place of what was."""
        known = {field.name for field in fields(Scopes)} & self.model_fields_set
        given: dict[str, Any] = {name: getattr(self, name) for name in known}
        if "quotas" in given:
            given["quotas"] = tuple(quota.quota() for quota in self.quotas)
        return replace(before, **given)


class NewKey(KeyFields):
    """A key to be made."""

    name: KeyName = Field(description="What it is called; no other key that is not revoked may be.")


class KeyChange(KeyFields):
    """What is to change of a key: the fields that are given, null for their defaults."""

    name: KeyName | None = Field(None, description="What it is to be called.")


class Rotation(BaseModel):
    """A new secret for a key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grace_s: float = Field(
        86_400.0, ge=0, le=31 * 86_400, allow_inf_nan=False, description="Seconds that the old one stays good."
    )
