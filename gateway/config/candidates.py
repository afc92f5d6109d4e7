"""Turns models as written into candidates, with what they cost, what they can take, and what they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.models import LocalConfig
from gateway.data_class import DataClasses
from gateway.eligibility import Ability, Eligibility
from gateway.pricing import Listing, flat, look_up
from providers.vendors import VENDORS
from routers.efforts import base_of
from routers.types import Candidate, Joules

if TYPE_CHECKING:
    from gateway.config.models import GatewayConfig, ModelConfig, ModelEndpointConfig
    from gateway.pricing import Tariff

#: What the local models' server takes; what it does not know it ignores.
LOCAL_CAPABILITIES = frozenset(
    {"tools", "json_schema", "json_object", "logprobs", "n", "prediction", "reasoning_effort", "thinking_history"}
)


def build_candidates(config: GatewayConfig) -> dict[str, tuple[Candidate, Tariff | None]]:
    """Return each model as a candidate, with what it costs (None: unknown)."""
    return {name: _candidate(config, name, model) for name, model in config.models.items()}


def build_eligibility(config: GatewayConfig) -> Eligibility:
    """Return what each model can take and may see."""
    classes = DataClasses(config.data_classes.names) if config.data_classes else None
    return Eligibility({name: _ability(config, model) for name, model in config.models.items()}, classes)


def _candidate(config: GatewayConfig, name: str, model: ModelConfig) -> tuple[Candidate, Tariff | None]:
    listings = [_listing(config, endpoint, model.name or base_of(name)) for endpoint in model.reached]
    tariff = flat(model.price) if model.price else listings[0].tariff
    # What one endpoint does not take may not be sent to the model at all: they count as alike.
    window = model.context_window or min((one.context_window for one in listings if one.context_window), default=None)
    return Candidate(name, tariff.price if tariff else None, window, _joules(model)), tariff


def _joules(model: ModelConfig) -> Joules | None:
    written = model.energy_j_per_token
    if written is None:
        return None
    return Joules(written, written) if isinstance(written, float) else Joules(written.input, written.output)


def _listing(config: GatewayConfig, endpoint: ModelEndpointConfig, name: str) -> Listing:
    provider = config.providers[endpoint.provider]
    if isinstance(provider, LocalConfig):
        return Listing(None, provider.context_tokens)
    return look_up(VENDORS[provider.vendor].catalogue, endpoint.name or name)


def _ability(config: GatewayConfig, model: ModelConfig) -> Ability:
    providers = [config.providers[endpoint.provider] for endpoint in model.reached]
    hosted = [VENDORS[one.vendor] for one in providers if not isinstance(one, LocalConfig)]
    known = None if hosted else LOCAL_CAPABILITIES
    return Ability(
        capabilities=known if model.capabilities is None else frozenset(model.capabilities),
        clearance=model.clearance,
        tool_call_id=next((vendor.tool_call_id for vendor in hosted if vendor.tool_call_id), None),
    )
