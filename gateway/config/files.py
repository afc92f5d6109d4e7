"""The configuration as files: the gateway's own, its policies, and the folders of learned state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.config.callers import wrong_callers
from gateway.config.classes import wrong_classes
from gateway.config.efforts import with_efforts, wrong_efforts
from gateway.config.loader import ConfigError, did_you_mean, load
from gateway.config.models import GatewayConfig
from gateway.config.policy_models import PolicyConfig
from gateway.config.references import wrong_references
from gateway.config.validate import validate
from routers.state import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
    mistaken = [*wrong_efforts(config, document, policies)]
    config = with_efforts(config, policies)
    wrong = [*wrong_references(config, document, policies, environment), *wrong_classes(config, document, policies)]
    wrong += [*wrong_callers(config, document), *mistaken]
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
