"""Turns models as written into candidates, with what they cost, what they can take, and what they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.models import LocalConfig
from gateway.data_class import DataClasses
from gateway.eligibility import Ability, Eligibility
from gateway.pricing import Listing, flat, look_up
from providers.vendors import VENDORS
from routers.types import Candidate

if TYPE_CHECKING:
    from gateway.config.models import GatewayConfig, ModelConfig
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
    provider = config.providers[model.provider]
    if isinstance(provider, LocalConfig):
        listing = Listing(None, provider.context_tokens)
    else:
        listing = look_up(VENDORS[provider.vendor].catalogue, model.name or name)
    tariff = flat(model.price) if model.price else listing.tariff
    window = model.context_window or listing.context_window
    return Candidate(name, tariff.price if tariff else None, window), tariff


def _ability(config: GatewayConfig, model: ModelConfig) -> Ability:
    provider = config.providers[model.provider]
    local = isinstance(provider, LocalConfig)
    known = LOCAL_CAPABILITIES if local else None
    return Ability(
        capabilities=known if model.capabilities is None else frozenset(model.capabilities),
        clearance=model.clearance,
        tool_call_id=None if isinstance(provider, LocalConfig) else VENDORS[provider.vendor].tool_call_id,
    )
