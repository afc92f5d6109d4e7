"""What a caller asks of the gateway itself: headers `x-pointsman-…`, and the member `pointsman` of the body.

The OpenAI SDK sends the one as `extra_headers`, the other as `extra_body={"pointsman": {...}}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gateway.config.loader import did_you_mean
from gateway.constraints import UNBOUNDED, Constraints
from gateway.dial import DIAL
from gateway.errors import RequestError
from gateway.priority import PRIORITIES, Priority
from providers.chat import edited

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.deciding import Decider
    from providers.types import ChatRequest

#: The member of the body; it is not sent on.
MEMBER = "pointsman"
PREFIX = "x-pointsman-"

#: Stands between the parts of a list, but not within the name of a model at an effort.
_COMMA: Final = re.compile(",(?!max_tokens:)")


def _listed(value: Any) -> Any:
    """Return a text's parts between commas, as a header has them."""
    return [part.strip() for part in _COMMA.split(value) if part.strip()] if isinstance(value, str) else value


def _dial(value: Any) -> Any:
    return DIAL.get(value, value) if isinstance(value, str) else value


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 - what pydantic turns into an answer
    return value


def _truth(value: Any) -> Any:
    """Return the truth that a header says; a body says it itself."""
    said = value.lower() if isinstance(value, str) else ""
    return {"1": True, "true": True, "0": False, "false": False}.get(said, value)


def _switch(value: Any) -> Any:
    """Return whether a header turns something on or off; a body says it itself."""
    return {"on": True, "off": False}.get(value, _truth(value)) if isinstance(value, str) else value


Number = Annotated[float, BeforeValidator(_no_truth)]
Models = Annotated[frozenset[str], BeforeValidator(_listed)]


class Options(BaseModel):
    """What a caller may ask for; each can only tighten what policy and key allow, and turn the dial."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quality_weight: Annotated[Number, BeforeValidator(_dial)] | None = Field(None, ge=0, le=1)
    max_cost_usd: Number | None = Field(None, ge=0)
    max_latency_s: Number | None = Field(None, gt=0)
    task_budget_usd: Number | None = Field(None, ge=0)
    allow_models: Models | None = None
    deny_models: Models = frozenset()
    data_class: str | None = None
    include_cost: Annotated[bool, BeforeValidator(_truth)] = False
    explore: Annotated[bool, BeforeValidator(_switch)] = True
    priority: Priority = "high"

    def constraints(self) -> Constraints:
        """Return them as bounds."""
        return Constraints(
            quality_weight=self.quality_weight,
            max_cost_usd=self.max_cost_usd,
            max_latency_s=self.max_latency_s,
            task_budget_usd=self.task_budget_usd,
            allow=self.allow_models,
            deny=self.deny_models,
            data_classes=frozenset() if self.data_class is None else frozenset({self.data_class}),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for: bounds, how urgent it is (it can only be made less so), and the cost in the usage.

    `explore` is whether the request may be explored with.
    """

    constraints: Constraints
    priority: Priority = "high"
    include_cost: bool = False
    explore: bool = True


#: Asks for nothing in particular.
NOTHING = Asked(UNBOUNDED)
#: The options by the headers that say them.
FIELDS = {PREFIX + name.replace("_", "-"): name for name in Options.model_fields}
#: The headers that callers may send.
KNOWN = FIELDS.keys() | {
    f"{PREFIX}session-id",
    f"{PREFIX}tags",
    f"{PREFIX}debug",
    f"{PREFIX}feedback",
}


def read_options(chat: ChatRequest, headers: Mapping[str, str], decider: Decider) -> tuple[ChatRequest, Asked]:
    """Return the request without the gateway's own member, and what the caller asks for.

    The body's dial counts before the header's. Raises `RequestError` for an option that is unknown or out of range,
    and for a model or a data class that does not exist: what cannot be respected must not seem to be.
    """
    ours = [name for name in headers if name.startswith(PREFIX)]
    if not ours and MEMBER not in chat.body:
        return chat, NOTHING
    _refuse_unknown(ours)
    by_header = _parse({field: headers[name] for name in ours if (field := FIELDS.get(name))}, PREFIX)
    by_body = Options()
    if MEMBER in chat.body:
        if not isinstance(given := chat.body[MEMBER], dict):
            raise RequestError(f"{MEMBER!r} must be an object.", param=MEMBER, code="invalid_type")
        by_body = _parse(given, f"{MEMBER}.")
        chat = edited(chat, {}, {MEMBER})
    constraints = by_header.constraints().tightened(by_body.constraints())
    _check_names(constraints, decider)
    priority = min(by_header.priority, by_body.priority, key=PRIORITIES.index)
    include_cost = by_header.include_cost or by_body.include_cost
    return chat, Asked(constraints, priority, include_cost, by_header.explore and by_body.explore)


def _refuse_unknown(names: Iterable[str]) -> None:
    """Raise `RequestError` for a header of ours that there is not: a misspelt bound must not seem to be respected."""
    for name in names:
        if name not in KNOWN:
            raise RequestError(
                f"{name!r} is no header of this gateway: {did_you_mean(name, KNOWN)}.",
                param=name,
                code="invalid_option",
            )


def _parse(given: Mapping[str, Any], prefix: str) -> Options:
    try:
        return Options.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        param = prefix + (name.replace("_", "-") if prefix == PREFIX else name)
        known = did_you_mean(name, Options.model_fields) if first["type"] == "extra_forbidden" else first["msg"]
        problem = "is no option" if first["type"] == "extra_forbidden" else "cannot be used"
        raise RequestError(_sentence(f"{param!r} {problem}: {known}"), param=param, code="invalid_option") from error


def _check_names(constraints: Constraints, decider: Decider) -> None:
    models = decider.policies.models
    for option, named in (("allow_models", constraints.allow or frozenset()), ("deny_models", constraints.deny)):
        for model in sorted(named - models.keys()):
            raise RequestError(
                _sentence(f"No model {model!r} exists; {did_you_mean(model, models)}"),
                param=option,
                code="invalid_option",
            )
    ladder = decider.eligibility.data_classes
    for name in sorted(constraints.data_classes):
        if ladder is None:
            raise RequestError(
                f"The data class {name!r} cannot be respected: this gateway has no data classes.",
                param="data_class",
                code="invalid_option",
            )
        if name not in ladder.names:
            raise RequestError(
                _sentence(f"No data class {name!r} exists; {did_you_mean(name, ladder.names)}"),
                param="data_class",
                code="invalid_option",
            )


def _sentence(text: str) -> str:
    """Return a text with a full stop, unless it ends in a question."""
    return text if text.endswith("?") else f"{text}."
