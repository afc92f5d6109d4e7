"""Checks that what a configuration names is there: providers, vendors, keys, models, policies, signals."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from gateway.config.loader import did_you_mean
from gateway.config.models import GatewayConfig, LocalConfig
from gateway.signals.registry import SIGNALS
from providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gateway.config.files import PolicyFile
    from gateway.config.loader import Document, Place


def wrong_references(
    config: GatewayConfig, document: Document, policies: tuple[PolicyFile, ...], environment: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line for each thing that is named and is not there."""
    yield from _wrong_server(config, document)
    yield from _wrong_providers(config, document)
    yield from _wrong_keys(config, document, environment)
    yield from _wrong_signals(config, document)
    yield from wrong_policies(config, policies)


def strangers_problem(config: GatewayConfig, host: str) -> str | None:
    """Return what is wrong with listening on `host`, if anything: without keys only this machine may be served."""
    if config.server.keys or config.callers or host == "localhost":
        return None
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if loopback:
        return None
    return f"{host!r} is open to other machines, and no key is asked: set server.api_keys, or listen on 127.0.0.1"


def _wrong_server(config: GatewayConfig, document: Document) -> Iterator[str]:
    """Yield what would serve strangers."""
    if problem := strangers_problem(config, config.server.host):
        yield document.at(("server", "host"), problem)


def _wrong_keys(config: GatewayConfig, document: Document, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield endpoints whose vendor wants a key that is nowhere. At an address of the user's own none may be due."""
    for name, provider in config.providers.items():
        if isinstance(provider, LocalConfig) or provider.api_key or provider.base_url:
            continue
        vendor = VENDORS.get(provider.vendor)
        if vendor and vendor.key_variable and not environment.get(vendor.key_variable):
            yield document.at(
                ("providers", name), f"needs a key: set {vendor.key_variable} in the environment, or api_key here"
            )


def _wrong_providers(config: GatewayConfig, document: Document) -> Iterator[str]:
    """Yield what does not fit together within the gateway's own file."""
    for name, model in config.models.items():
        if model.provider not in config.providers:
            hint = did_you_mean(model.provider, config.providers)
            yield document.at(("models", name, "provider"), f"no provider {model.provider!r}; {hint}")
    for name, provider in config.providers.items():
        if isinstance(provider, LocalConfig):
            continue
        vendor = VENDORS.get(provider.vendor)
        if vendor is None:
            hint = did_you_mean(provider.vendor, {*VENDORS, "local"})
            yield document.at(("providers", name, "vendor"), f"no vendor {provider.vendor!r}; {hint}")
        elif vendor.base_url is None and provider.base_url is None:
            yield document.at(("providers", name), f"vendor {vendor.name!r} needs a base_url")


def _wrong_signals(config: GatewayConfig, document: Document) -> Iterator[str]:
    """Yield signals for the log that there are not."""
    for n, name in enumerate(config.signals.log):
        if name not in SIGNALS:
            yield document.at(("signals", "log", n), f"no signal {name!r}; {did_you_mean(name, SIGNALS)}")


def wrong_policies(config: GatewayConfig, policies: tuple[PolicyFile, ...]) -> Iterator[str]:
    """Yield what does not fit together between policies and models."""
    seen: set[str] = set()
    for policy in policies:
        name = policy.config.name
        if name in seen or name in config.models:
            taken = "another policy" if name in seen else "a model"
            yield policy.document.at(("name",), f"{name!r} is the name of {taken} already")
        seen.add(name)
        yield from _unknown_members(policy, (), config.models)
        rules = [rule.name for rule in policy.config.rules]
        for index, rule in enumerate(policy.config.rules):
            if rule.name in rules[:index]:
                yield policy.document.at(("rules", index, "name"), f"{rule.name!r} is the name of another rule already")
            yield from _unknown_members(policy, ("rules", index), config.models)
            names = [other.config.name for other in policies]
            if rule.policy is not None and rule.policy not in names:
                hint = did_you_mean(rule.policy, names)
                yield policy.document.at(("rules", index, "policy"), f"no policy {rule.policy!r}; {hint}")


def _unknown_members(policy: PolicyFile, place: Place, models: Collection[str]) -> Iterator[str]:
    """Yield what a policy, or a rule of it, names as pool or fallback and is none."""
    written = policy.config.rules[int(place[1])] if place else policy.config
    pool = written.pool or policy.config.pool or models
    for key, known, where in (("pool", models, "models"), ("fallback", pool, "the pool")):
        for n, member in enumerate(getattr(written, key) or ()):
            if member not in known:
                hint = did_you_mean(member, known)
                yield policy.document.at((*place, key, n), f"{member!r} is not in {where}; {hint}")
