"""Checks that what a configuration names is there: providers, vendors, keys, models, policies, signals."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from gateway.config.caching import wrong_cache
from gateway.config.callers import wrong_access
from gateway.config.efforts import unknown_model
from gateway.config.feedback import wrong_feedback
from gateway.config.listening import wrong_implicit, wrong_judging
from gateway.config.loader import did_you_mean
from gateway.config.models import GatewayConfig, LocalConfig
from gateway.config.promotions import wrong_promotions
from gateway.config.quotas import wrong_quotas
from gateway.config.tasks import wrong_tasks
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
    yield from wrong_access(config, document, policies, environment)
    yield from _wrong_shared(config, document, policies)
    yield from wrong_policies(config, policies)
    yield from wrong_promotions(policies)
    yield from wrong_tasks(policies)
    yield from wrong_feedback(config.feedback, document)
    asked = {*config.models, *(policy.config.name for policy in policies)}
    yield from wrong_implicit(config, document, asked)
    yield from wrong_judging(config, document, asked)
    yield from _wrong_scopes(config, policies)


def strangers_problem(config: GatewayConfig, host: str) -> str | None:
    """Return what is wrong with listening on `host`, if anything: without keys only this machine may be served."""
    if config.server.keys or config.callers or config.keys or config.jwt or host == "localhost":
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


def _wrong_shared(config: GatewayConfig, document: Document, policies: tuple[PolicyFile, ...]) -> Iterator[str]:
    """Yield quotas of nobody, and what is to be in Redis where there is none."""
    asked = {*config.models, *(policy.config.name for policy in policies)}
    yield from wrong_quotas(config.quotas, document, ("quotas",), {"model": config.models, "policy": asked})
    for name, caller in config.callers.items():
        yield from wrong_quotas(caller.quotas, document, ("callers", name, "quotas"), {})
    yield from wrong_cache(config.cache, document, redis=config.redis is not None)
    if config.keys is not None and config.keys.store == "redis" and config.redis is None:
        yield document.at(("keys", "store"), "'redis' needs the section redis, which says where it is")


def _wrong_scopes(config: GatewayConfig, policies: tuple[PolicyFile, ...]) -> Iterator[str]:
    """Yield caches that would give one caller what an endpoint has answered by the authorization of another."""
    forwarding = {name for name, one in config.providers.items() if getattr(one, "forward_authorization", False)}
    for policy in policies:
        cache, pool = policy.config.cache, policy.config.pool or tuple(config.models)
        reached = {one.provider for model in pool if model in config.models for one in config.models[model].reached}
        if cache is not None and cache.scope != "key" and reached & forwarding:
            provider = min(reached & forwarding)
            said = (
                f"{cache.scope!r} would share what {provider!r} answers by each caller's own authorization: use 'key'"
            )
            yield policy.document.at(("cache", "scope"), said)


def _wrong_keys(config: GatewayConfig, document: Document, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield endpoints whose vendor wants a key that is nowhere. At an address of the user's own none may be due."""
    for name, provider in config.providers.items():
        if isinstance(provider, LocalConfig) or provider.keys or provider.base_url or provider.forward_authorization:
            continue
        vendor = VENDORS.get(provider.vendor)
        if vendor and vendor.key_variable and not environment.get(vendor.key_variable):
            yield document.at(
                ("providers", name), f"needs a key: set {vendor.key_variable} in the environment, or api_key here"
            )


def _wrong_providers(config: GatewayConfig, document: Document) -> Iterator[str]:
    """Yield what does not fit together within the gateway's own file."""
    for name, model in config.models.items():
        for n, endpoint in enumerate(model.reached):
            if endpoint.provider not in config.providers:
                hint = did_you_mean(endpoint.provider, config.providers)
                place = ("endpoints", n, "provider") if model.endpoints else ("provider",)
                yield document.at(("models", name, *place), f"no provider {endpoint.provider!r}; {hint}")
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
        yield from _wrong_members(policy, (), config)
        rules = [rule.name for rule in policy.config.rules]
        for index, rule in enumerate(policy.config.rules):
            if rule.name in rules[:index]:
                yield policy.document.at(("rules", index, "name"), f"{rule.name!r} is the name of another rule already")
            yield from _wrong_members(policy, ("rules", index), config)
            names = [other.config.name for other in policies]
            if rule.policy is not None and rule.policy not in names:
                hint = did_you_mean(rule.policy, names)
                yield policy.document.at(("rules", index, "policy"), f"no policy {rule.policy!r}; {hint}")


def _wrong_members(policy: PolicyFile, place: Place, config: GatewayConfig) -> Iterator[str]:
    """Yield what a policy, or a rule of it, names as pool or fallback and is none, or is named twice."""
    models: Collection[str] = config.models
    offered: Collection[str] = config.offered
    written = policy.config.rules[int(place[1])] if place else policy.config
    pool = written.pool or policy.config.pool or offered
    for key, known, where in (("pool", models, "models"), ("fallback", pool, "the pool")):
        members = getattr(written, key) or ()
        for n, member in enumerate(members):
            if member not in known:
                hint = unknown_model(member, known)
                yield policy.document.at((*place, key, n), f"{member!r} is not in {where}; {hint}")
            elif member in members[:n]:
                yield policy.document.at((*place, key, n), f"{member!r} is there already")
