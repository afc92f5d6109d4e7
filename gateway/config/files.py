"""The configuration as files: the gateway's own, its policies, and the folders of learned state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from gateway.config.classes import wrong_classes
from gateway.config.loader import ConfigError, did_you_mean, load
from gateway.config.models import GatewayConfig, LocalConfig
from gateway.config.policy_models import PolicyConfig
from gateway.config.validate import validate
from providers.vendors import VENDORS
from routers.state import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from gateway.config.loader import Document, Place


@dataclass(frozen=True, slots=True)
class WrittenRouter:
    """A router as a policy file has it, the policy's own or a rule's: where it stands, and where its state is.

    `pool` names the models that it chooses from; None: all.
    """

    name: str
    spec: Mapping[str, Any]
    document: Document
    place: Place
    state: Path
    pool: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy as written, and the folder where its learned state is."""

    config: PolicyConfig
    document: Document
    state: Path

    @property
    def router(self) -> WrittenRouter:
        """Return the router where no rule matches."""
        config = self.config
        return WrittenRouter(config.name, config.router, self.document, ("router",), self.state, config.pool)

    def router_of(self, index: int) -> WrittenRouter | None:
        """Return the router of the rule at `index`, whose state is beside the policy's; None where it has none."""
        rule = self.config.rules[index]
        if rule.router is None:
            return None
        return WrittenRouter(
            name=f"{self.config.name}/{rule.name}",
            spec=rule.router,
            document=self.document,
            place=("rules", index, "router"),
            state=self.state.with_name(f"{self.state.name}@{rule.name}"),
            pool=rule.pool or self.config.pool,
        )

    def router_named(self, rule: str | None) -> WrittenRouter:
        """Return the router of a rule, as the option `--rule` gives it; of None, the policy's. Raises `ConfigError`."""
        if rule is None:
            return self.router
        by_name = {router.name.partition("/")[2]: router for router in self.routers() if router.place != ("router",)}
        if rule not in by_name:
            hint = did_you_mean(rule, by_name)
            raise ConfigError(f"--rule: no rule {rule!r} of policy {self.config.name!r} has a router; {hint}")
        return by_name[rule]

    def routers(self) -> Iterator[WrittenRouter]:
        """Yield the policy's router, and those of its rules."""
        yield self.router
        for index in range(len(self.config.rules)):
            if (router := self.router_of(index)) is not None:
                yield router


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

    @property
    def domain_examples(self) -> Path | None:
        """Return the file of examples of domains, if one is named."""
        name = self.config.signals.domain.examples
        return None if name is None else self.path.parent / name

    def policy(self, name: str) -> PolicyFile:
        """Return the policy of that name, as the option `--policy` gives it. Raises `ConfigError`."""
        by_name = {policy.config.name: policy for policy in self.policies}
        if name not in by_name:
            raise ConfigError(f"--policy: no policy {name!r}; {did_you_mean(name, by_name)}")
        return by_name[name]

    def watched(self) -> list[Path]:
        """Return every file whose change matters, whether it is there or not."""
        states = [router.state / MANIFEST for policy in self.policies for router in policy.routers()]
        examples = [self.domain_examples] if self.domain_examples else []
        return [self.path, *(policy.document.path for policy in self.policies), *states, *examples]


def read_files(path: Path, environment: Mapping[str, str]) -> Files:
    """Read and check the configuration at `path`.

    Raises `ConfigError` with a line for each thing that is wrong.
    """
    path = path.resolve()
    document = load(path, environment)
    config = validate(document, GatewayConfig)
    policies = tuple(_read_policies(path, config, environment))
    wrong = [*_wrong_server(config, document), *_wrong_references(config, document)]
    wrong += [*_wrong_keys(config, document, environment), *wrong_policies(config, policies)]
    wrong += [*wrong_classes(config, document, policies)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    digest = _digest(
        document, policies, path.parent / config.signals.domain.examples if config.signals.domain.examples else None
    )
    return Files(path, config, document, policies, digest)


def _digest(document: Document, policies: tuple[PolicyFile, ...], examples: Path | None) -> str:
    digest = hashlib.sha256(document.digest.encode())
    if examples is not None and examples.is_file():
        digest.update(hashlib.sha256(examples.read_bytes()).digest())
    for policy in policies:
        digest.update(policy.document.digest.encode())
        for router in policy.routers():
            manifest = router.state / MANIFEST
            digest.update(hashlib.sha256(manifest.read_bytes() if manifest.is_file() else b"").digest())
    return digest.hexdigest()


def _read_policies(path: Path, config: GatewayConfig, environment: Mapping[str, str]) -> Iterator[PolicyFile]:
    for name in config.policies:
        document = load(path.parent / name, environment)
        policy = validate(document, PolicyConfig)
        folder = document.path.parent / policy.state if policy.state else path.parent / "state" / policy.name
        yield PolicyFile(policy, document, folder)


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
        for index, rule in enumerate(policy.config.rules):
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
