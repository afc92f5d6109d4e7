"""A policy file, as users write it."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, Self

from pydantic import Field, PositiveFloat, field_validator, model_validator

from gateway.config.cache_models import PolicyCacheConfig
from gateway.config.exploration_models import ExplorationConfig
from gateway.config.hedge_models import HedgeConfig
from gateway.config.learning_models import PolicyLearningConfig
from gateway.config.models import LimitsConfig
from gateway.config.promotion_models import PromotionConfig
from gateway.config.task_models import TaskConfig
from gateway.config.written import CandidateName, Name, Written

#: Top-level members of a request that a rule may not set: they are the policy's business, or the client's words.
PROTECTED = frozenset({"model", "messages", "stream", "stream_options", "pointsman"})
#: Headers that belong to the connection, or to the body's form.
_FRAMING = frozenset(
    {"host", "connection", "content-length", "content-type", "accept-encoding", "transfer-encoding", "te", "upgrade"}
)
#: A header's name and value (RFC 9110, sections 5.1 and 5.5).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
#: What a rule's request to another policy, or its refusal, leaves no room for.
_ROUTING = ("pool", "router", "fallback", "limits", "effort", "reasoning", "system_prompt", "headers", "parameters")


class StickinessConfig(Written):
    """When the model that answered a session last is kept."""

    tool_loop: bool = Field(default=True, description="Whether the model stays while a loop of tools is open.")
    session: bool = Field(
        default=True,
        description="Whether it stays within a session, unless more is gained than its prompt cache saves.",
    )
    idle_s: PositiveFloat = Field(300.0, description="Seconds of silence after which a session may change freely.")


class UnderLoadConfig(Written):
    """What is done where endpoints have as many requests as they take: by default, others answer."""

    least_reward: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Expected reward below which models that have room do not stand in for those that have none: the "
        "request waits for one of these.",
    )


class DialConfig(Written):
    """How far clients may turn the dial."""

    min: float = Field(0.0, ge=0, le=1, description="Nearest to cheap.")
    max: float = Field(1.0, ge=0, le=1, description="Nearest to best.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class RuleConfig(Written):
    """A rule: where its condition holds, its route counts, or its refusal, or the policy that it leads to."""

    name: Name = Field(description="Shown in the log, in traces and in `x-pointsman-rule`.")
    when: dict[str, Any] = Field(
        default_factory=dict, description="The [condition](policies.md#conditions); none: always."
    )
    priority: int = Field(0, description="Rules of higher priority are asked first; equals in the order written.")
    tag: str | None = Field(None, description="Goes into the log.")
    refuse: str | None = Field(None, min_length=1, description="Nobody answers; the client is told this.")
    policy: Name | None = Field(None, description="Another policy, which goes on with its own rules.")
    pool: tuple[CandidateName, ...] | None = Field(
        None, min_length=1, description="Models, perhaps at an [effort](plans/effort.md); by default the policy's pool."
    )
    router: dict[str, Any] | None = Field(None, description="Who chooses; by default the policy's router.")
    fallback: tuple[CandidateName, ...] | None = Field(
        None, description="Who is asked when the choice fails; by default the rest of the pool, likeliest first."
    )
    limits: LimitsConfig | None = Field(None, description="By default the policy's limits.")
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None, description="How much the model is to reason, in place of what the client asks for."
    )
    reasoning: bool | None = Field(None, description="Turns reasoning on or off, where a model has that switch.")
    system_prompt: str | None = Field(None, min_length=1, description="Added to the system message.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send on.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Members of the request to set; null removes one."
    )

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or name.lower() in _FRAMING:
                raise ValueError(f"{name!r} is no header that a rule may set")
            if not _VALUE.fullmatch(value):
                raise ValueError(f"the value of {name!r} holds what no header can: use printable ASCII")
        return headers

    @field_validator("parameters")
    @classmethod
    def _is_json(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        for name, value in parameters.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise ValueError(f"the value of {name!r} is not JSON ({error}): quote it where it is a text") from error
        return parameters

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if self.refuse is not None and self.policy is not None:
            raise ValueError("a rule refuses, or leads to another policy: not both")
        ends = next((name for name in ("refuse", "policy") if getattr(self, name) is not None), None)
        idle = [name for name in _ROUTING if getattr(self, name) not in (None, {})]
        if ends and idle:
            raise ValueError(f"a rule with {ends!r} has no use for {', '.join(idle)}")
        if barred := PROTECTED & self.parameters.keys():
            raise ValueError(f"parameters may not set {', '.join(sorted(barred))}")
        return self


class PolicyConfig(Written):
    """A policy: what clients name as `model`, which models it may use, what rules say, and who chooses."""

    name: Name = Field(description="What clients send as `model`.")
    description: str = Field("", description="Shown with `GET /v1/models/{name}`.")
    pool: tuple[CandidateName, ...] | None = Field(
        None,
        min_length=1,
        description="Names under `models`, perhaps at an [effort](plans/effort.md) (`gpt-5@low`); by default all, with "
        "the `efforts` that they offer.",
    )
    client_effort: Literal["keep", "override"] = Field(
        "keep",
        description="What counts where a request says itself how much to reason: `keep`, candidates of another effort "
        "are left out; `override`, the candidate's own effort.",
    )
    defaults: dict[str, Any] = Field(
        default_factory=dict,
        description="What holds of signals that are absent: see [policies.md](policies.md#defaults).",
    )
    projections: dict[str, Any] = Field(
        default_factory=dict, description="Features made of others: see [policies.md](policies.md#projections)."
    )
    rules: tuple[RuleConfig, ...] = Field(
        (), description="The first one whose condition holds counts: [below](#rules)."
    )
    router: dict[str, Any] = Field(description="Who chooses where no rule matches: see [routers.md](routers.md).")
    state: str | None = Field(
        None, description="Folder of the learned state; by default `state/NAME` beside the gateway's file."
    )
    fallback: tuple[CandidateName, ...] | None = Field(
        None,
        description="Who is asked next, in this order, when the chosen model fails; by default the rest of the "
        "pool, likeliest first.",
    )
    limits: LimitsConfig | None = Field(None, description="What one request may take; by default the gateway's limits.")
    stickiness: StickinessConfig = StickinessConfig()
    dial: DialConfig = DialConfig()
    under_load: UnderLoadConfig = UnderLoadConfig()
    exploration: ExplorationConfig = ExplorationConfig()
    hedge: HedgeConfig | None = Field(
        None, description="When a second model is asked: see [hedging](plans/hedging.md); by default never."
    )
    keep_alive_s: PositiveFloat | None = Field(
        None,
        description="Seconds of silence after which a client that waits for a stream gets comments, where answers are "
        "[heard out first](plans/buffering.md); by default it gets none.",
    )
    learning: PolicyLearningConfig = PolicyLearningConfig()
    cache: PolicyCacheConfig | None = Field(
        None, description="Which of its answers are given again: see [caching](caching.md); by default none."
    )
    data_class: str | None = Field(None, description="The least data class that requests under the policy count as.")
    promotion: PromotionConfig | None = Field(
        None, description="How another policy takes its place: see [promotion](promotion.md); by default none does."
    )
    task: TaskConfig | None = Field(
        None, description="What one session may cost: see [agents](plans/agents.md); by default any sum."
    )
