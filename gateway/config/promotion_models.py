"""How a policy's successor is promoted, as users write it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, WithJsonSchema, field_validator, model_validator

from gateway.config.written import Name, Written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.promotion.types import State

_PERCENT: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*")


def _part(value: Any) -> Any:
    """Return `10%` as 0.1, and anything else as it is."""
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return float(found[1]) / 100 if found else value


#: A part, as a number (0.1) or in percent (10%).
Part = Annotated[
    float,
    BeforeValidator(_part),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$"}]}),
]
Share = Annotated[Part, Field(gt=0, le=1)]
Points = Annotated[Part, Field(gt=0, le=1)]
ToleratedPoints = Annotated[Part, Field(ge=0, le=1)]
Margin = Annotated[Part, Field(gt=0, le=100)]
Tolerated = Annotated[Part, Field(ge=0, le=100)]


class QualityTestConfig(Written):
    """What is known of the answers' quality, by feedback."""

    worse_by: Points = Field(
        description="Quality is in [0, 1]: so much worse it must certainly not be, to serve all of the traffic."
    )
    tolerated: ToleratedPoints = Field(
        0.0, description="It is taken back as soon as it is certainly worse by more than this."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_order(self.tolerated, self.worse_by, "worse_by")
        return self


class HigherTestConfig(Written):
    """What may be higher by so much, and no more."""

    higher_by: Margin = Field(
        description="So much higher it must certainly not be, to serve all of the traffic: cost and latency by that "
        "part of what they are under the live version, errors by so many points (1%: 3 in 100 answers rather than 2)."
    )
    tolerated: Tolerated = Field(
        0.0, description="It is taken back as soon as it is certainly higher by more than this."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_order(self.tolerated, self.higher_by, "higher_by")
        return self


def _check_order(tolerated: float, margin: float, name: str) -> None:
    if tolerated >= margin:
        raise ValueError(f"`tolerated` {tolerated:g} has to be below `{name}` {margin:g}: else nothing is ever decided")


class PromotionTestsConfig(Written):
    """What the candidate is compared with the live version by; what is not named is not looked at."""

    quality: QualityTestConfig | None = Field(
        None, description="By feedback; without any, no candidate gets to `live`."
    )
    errors: HigherTestConfig | None = Field(None, description="Answers that did not come, or not to their end.")
    cost: HigherTestConfig | None = Field(None, description="What an answer costs on average.")
    latency: HigherTestConfig | None = Field(None, description="How long a whole answer takes on average.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any((self.quality, self.errors, self.cost, self.latency)):
            raise ValueError("name at least one of quality, errors, cost, latency")
        return self


class CanaryConfig(Written):
    """A small share."""

    canary: Share = Field(description="The share of the traffic.")


class RampConfig(Written):
    """Shares that rise."""

    ramp: Share | tuple[Share, ...] = Field(description="The share of the traffic, or several, rising.")


class PromotionConfig(Written):
    """How another policy takes this one's place: first it watches, then it serves more and more of the requests."""

    candidate: Name = Field(description="The policy that is to take its place: another one of this gateway.")
    stages: tuple[Literal["shadow", "live"] | CanaryConfig | RampConfig, ...] = Field(
        ("shadow", CanaryConfig(canary=0.05), RampConfig(ramp=(0.25, 0.5)), "live"),
        min_length=1,
        description="What it goes through: `shadow` (it decides, and nothing is served), `{canary: 0.05}`, "
        "`{ramp: [0.25, 0.5]}`, `live`. Without `live` at the end, an operator has the last word.",
    )
    min_requests: PositiveInt = Field(
        200, description="Requests that the candidate has to decide in a stage before it moves up."
    )
    sticky: Literal["session", "caller", "request"] = Field(
        "session", description="What stays on one side: a session, all requests of a caller, or nothing."
    )
    tests: PromotionTestsConfig = PromotionTestsConfig(errors=HigherTestConfig(higher_by=0.02))
    alpha: float = Field(
        0.05, ge=1e-6, le=0.2, description="Chance of a false alarm, however often and whatever is looked at."
    )
    within: PositiveInt = Field(50_000, description="Requests within which the tests are to find what they look for.")
    on_end: Literal["hold", "roll_back"] = Field(
        "hold",
        description="What becomes of a candidate that is undecided by then: it stays as it is, or is taken back.",
    )
    sample: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the requests that the version which does not serve decides too; it costs the time of a "
        "decision, and makes tests see more.",
    )

    @field_validator("stages")
    @classmethod
    def _rising(cls, stages: tuple[Written | str, ...]) -> tuple[Written | str, ...]:
        """Refuse stages that are out of order."""
        steps = steps_of(stages)
        names, shares = [name for name, _ in steps], [share for _, share in steps]
        if "shadow" in names[1:]:
            raise ValueError("`shadow` can only be the first of the stages")
        if "live" in names[:-1]:
            raise ValueError("`live` can only be the last of the stages")
        if any(later <= earlier for earlier, later in pairwise(shares)):
            raise ValueError("the shares of the stages have to rise")
        if any(share == 1 and name != "live" for name, share in steps):
            raise ValueError("all of the traffic is `live`: a canary or a ramp has a share below 1")
        return stages


def steps_of(stages: Iterable[Written | str]) -> list[tuple[State, float]]:
    """Return each stage with the share that the candidate serves in it: a ramp is as many as it has shares."""
    found: list[tuple[State, float]] = []
    for stage in stages:
        if isinstance(stage, CanaryConfig):
            found.append(("canary", stage.canary))
        elif isinstance(stage, RampConfig):
            shares = stage.ramp if isinstance(stage.ramp, tuple) else (stage.ramp,)
            found += [("ramp", share) for share in shares]
        else:
            found.append(("live", 1.0) if stage == "live" else ("shadow", 0.0))
    return found
