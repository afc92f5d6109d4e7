"""The configuration as files: the gateway's own, its policies, and the folders of learned state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gateway.config.loader import ConfigError, did_you_mean, load
from gateway.config.models import GatewayConfig, LocalConfig, PolicyConfig
from gateway.config.validate import validate
from providers.vendors import VENDORS
from routers.state import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from gateway.config.loader import Document
    from gateway.config.models import ServerConfig


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy as written, and the folder where its learned state is."""

    config: PolicyConfig
    document: Document
    state: Path


@dataclass(frozen=True, slots=True)
class Files:
    """A configuration that was read and is consistent in itself.

    `digest` is the sha256 of all that was read, and of the learned state as it was then: what is written
    afterwards, even at once, is a change.
    """

    path: Path
    config: GatewayConfig
    document: Document
    policies: tuple[PolicyFile, ...]
    digest: str

    def watched(self) -> list[Path]:
        """Return every file whose change matters, whether it is there or not."""
        states = [policy.state / MANIFEST for policy in self.policies]
        return [self.path, *(policy.document.path for policy in self.policies), *states]


def read_files(path: Path, environment: Mapping[str, str]) -> Files:
    """Read and check the configuration at `path`.

    Raises `ConfigError` with a line for each thing that is wrong.
    """
    path = path.resolve()
    document = load(path, environment)
    config = validate(document, GatewayConfig)
    policies = tuple(_read_policies(path, config, environment))
    wrong = [*_wrong_server(config, document), *_wrong_references(config, document)]
    wrong += [*_wrong_keys(config, document, environment), *_wrong_policies(config, policies)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return Files(path, config, document, policies, _digest(document, policies))


def _digest(document: Document, policies: tuple[PolicyFile, ...]) -> str:
    digest = hashlib.sha256(document.digest.encode())
    for policy in policies:
        manifest = policy.state / MANIFEST
        learned = manifest.read_bytes() if manifest.is_file() else b""
        digest.update(policy.document.digest.encode() + hashlib.sha256(learned).digest())
    return digest.hexdigest()


def _read_policies(path: Path, config: GatewayConfig, environment: Mapping[str, str]) -> Iterator[PolicyFile]:
    for name in config.policies:
        document = load(path.parent / name, environment)
        policy = validate(document, PolicyConfig)
        folder = document.path.parent / policy.state if policy.state else path.parent / "state" / policy.name
        yield PolicyFile(policy, document, folder)


def strangers_problem(server: ServerConfig, host: str) -> str | None:
    """Return what is wrong with listening on `host`, if anything: without keys only this machine may be served."""
    if server.keys or host == "localhost":
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
    if problem := strangers_problem(config.server, config.server.host):
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


def _wrong_references(config: GatewayConfig, document: Document) -> Iterator[str]:
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


def _wrong_policies(config: GatewayConfig, policies: tuple[PolicyFile, ...]) -> Iterator[str]:
    """Yield what does not fit together between policies and models."""
    seen: set[str] = set()
    for policy in policies:
        name = policy.config.name
        if name in seen or name in config.models:
            taken = "another policy" if name in seen else "a model"
            yield policy.document.at(("name",), f"{name!r} is the name of {taken} already")
        seen.add(name)
        yield from _unknown_members(policy, "pool", config.models)
        yield from _unknown_members(policy, "fallback", policy.config.pool or config.models)


def _unknown_members(policy: PolicyFile, key: str, known: Collection[str]) -> Iterator[str]:
    for n, member in enumerate(getattr(policy.config, key) or ()):
        if member not in known:
            where = "the pool" if key == "fallback" else "models"
            yield policy.document.at((key, n), f"{member!r} is not in {where}; {did_you_mean(member, known)}")
