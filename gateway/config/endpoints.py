"""Turns models and providers as written into what is asked: providers, endpoints with their limits, health checks."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from gateway.backend import Backend
from gateway.config.candidates import build_candidates
from gateway.config.efforts import style_of
from gateway.config.listening import limit_members
from gateway.config.models import ConcurrencyConfig, LocalConfig
from gateway.endpoints.concurrency import UNLIMITED, ConcurrencyLimit
from gateway.endpoints.endpoint import NO_KEY, Condition, Endpoint
from gateway.endpoints.gate import Gate
from gateway.endpoints.health_checks import HealthCheck
from providers.adapters.openai import OpenAIAdapter
from providers.provider import NO_CREDENTIALS, Credentials, Provider
from providers.types import Target
from providers.vendors import LOCAL, VENDORS
from routers.efforts import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx2

    from gateway.config.models import EndpointConfig, GatewayConfig, ModelConfig, ProviderConfig
    from providers.vendors import Vendor


def build_backends(config: GatewayConfig, providers: Mapping[str, Provider]) -> dict[str, Backend]:
    """Return each model with its endpoints."""
    models, limits = config.models, limit_members(config)
    return {
        name: Backend(
            candidate,
            _endpoints(name, models[name], providers),
            tariff,
            reasons=_reasons(models[name]),
            balance=models[name].balance,
            limit=limits[name],
            max_tokens=models[name].max_completion_tokens,
        )
        for name, (candidate, tariff) in build_candidates(config).items()
    }


def build_provider(
    name: str,
    config: ProviderConfig,
    base_url: str,
    environment: Mapping[str, str],
    transport: httpx2.AsyncBaseTransport,
) -> Provider:
    """Return what sends to an endpoint, with its keys and headers."""
    vendor = LOCAL if isinstance(config, LocalConfig) else VENDORS[config.vendor]
    headers = {} if vendor.keep_alive else {"connection": "close"}
    credentials = NO_CREDENTIALS
    if not isinstance(config, LocalConfig):
        credentials = _credentials(vendor, config, environment)
        headers |= {header.lower(): value.get_secret_value() for header, value in config.headers.items()}
    adapter = OpenAIAdapter(stream_options=vendor.stream_options, reasoning=style_of(config), limit=vendor.limit_field)
    return Provider(
        name,
        base_url=base_url,
        headers=headers,
        adapter=adapter,
        transport=transport,
        credentials=credentials,
    )


def _credentials(vendor: Vendor, config: EndpointConfig, environment: Mapping[str, str]) -> Credentials:
    """Return the header that carries each key, those written or its vendor's variable; perhaps none.

    A key goes by the beginning of its hash, so that what is known of it survives a change of the configuration.
    """
    variable = environment.get(vendor.key_variable) if vendor.key_variable else None
    keys = config.keys or ((variable,) if variable and not config.forward_authorization else ())
    headers = {
        sha256(key.encode()).hexdigest()[:12]: (
            {"authorization": f"Bearer {key}"} if vendor.key_header == "authorization" else {"api-key": key}
        )
        for key in keys
    }
    return Credentials(headers, config.forward_authorization)


def whole(number: int) -> int:
    """Return all of what may be had: for a process that is alone."""
    return number


def new_conditions(
    config: GatewayConfig, backends: Mapping[str, Backend], share: Callable[[int], int] = whole
) -> dict[str, Condition]:
    """Return how every endpoint does before anything is known of it: with its limits, by its name.

    `share` returns this process's part of what all that serve together may have.
    """
    return {
        endpoint.name: Condition(gate=_gate(config.providers[endpoint.provider.name], share))
        for backend in backends.values()
        for endpoint in backend.endpoints
    }


def health_checks(config: GatewayConfig, backends: Mapping[str, Backend]) -> list[HealthCheck]:
    """Return what endpoints are asked regularly: each provider that the configuration says so of, once."""
    checks = []
    for name, provider in config.providers.items():
        # Once each, though a model and its efforts are reached at the same.
        by_name = {one.name: one for backend in backends.values() for one in backend.endpoints}
        reached = [one for one in by_name.values() if one.provider.name == name]
        if reached and not isinstance(provider, LocalConfig) and (asked := provider.health_check):
            checks.append(HealthCheck(reached, asked.path, asked.every_s, asked.timeout_s))
    return checks


def _gate(config: ProviderConfig, share: Callable[[int], int]) -> Gate:
    limits = ConcurrencyConfig() if isinstance(config, LocalConfig) else config.concurrency
    most = float(share(limits.max or int(UNLIMITED)))
    return Gate(ConcurrencyLimit(most, adapts=limits.adaptive), share(limits.queue), limits.queue_s)


def _endpoints(model: str, config: ModelConfig, providers: Mapping[str, Provider]) -> tuple[Endpoint, ...]:
    base, effort = split(model)
    off = effort.level == "none"
    asked = Target(
        config.name or base,
        effort=None if off else effort.level,
        reasoning=False if off else None,
        budget=effort.budget,
        max_tokens=effort.max_tokens,
    )
    # A model's efforts are reached where it is: they share its limits there, its rests, and what is known of its keys.
    return tuple(
        Endpoint(
            name=f"{base}@{one.provider}",
            provider=providers[one.provider],
            target=replace(asked, name=one.name) if one.name else asked,
            keys=tuple(providers[one.provider].credentials.headers) or (NO_KEY,),
            weight=one.weight,
        )
        for one in config.reached
    )


def _reasons(model: ModelConfig) -> bool:
    """Tell whether a model may be told how much to reason: those may of which nothing else is known."""
    return model.capabilities is None or "reasoning_effort" in model.capabilities
