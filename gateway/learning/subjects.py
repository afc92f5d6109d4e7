"""What learns: the routers of a configuration, and which of them made a decision."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from gateway.config.feedback import reward_rules, trust_rules
from gateway.config.routers import build_new_router, build_router_of, manifest_of
from gateway.learning.rewards import RewardRules
from gateway.learning.trust import TrustRules
from routers.observations import Summing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.config.files import Files, PolicyFile, WrittenRouter
    from gateway.config.learning_models import PolicyLearningConfig
    from gateway.events import Decision
    from routers.types import Router

#: Counts the changes to what is counted of a decision: what was counted before is then counted anew.
COUNTING = 2

#: A policy as asked for, and the rules that matched, as `Decision.rule` has them.
Way = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A router that learns: a policy's, or a rule's own (`policy/rule`).

    `digest` is the sha256 of all that what it learns depends on, but for the log: its options, what it was trained to,
    how feedback becomes a reward, and which decisions are its own. What was learned under another digest is forgotten.
    """

    name: str
    digest: str
    written: WrittenRouter
    settings: PolicyLearningConfig
    online: bool
    ways: frozenset[Way]

    def made(self, decision: Decision) -> bool:
        """Tell whether the decision was this router's."""
        return (decided_by(decision), decision.rule) in self.ways

    def new_router(self) -> Router:
        """Return the router as it was trained, before it learned from the log. Raises `ConfigError`."""
        return build_router_of(self.written)


@dataclass(frozen=True, slots=True)
class Rules:
    """How feedback becomes a reward, and how far one caller may move what is learned."""

    rewards: RewardRules = field(default_factory=RewardRules)
    trust: TrustRules = field(default_factory=TrustRules)


def rules_of(files: Files) -> Rules:
    """Return the rules that a configuration gives."""
    return Rules(reward_rules(files.config.feedback), trust_rules(files.config.feedback))


def decided_by(decision: Decision) -> str:
    """Return the policy that decided: on a candidate's side of a promotion, the candidate."""
    trial = decision.trace.get("promotion") or {}
    if trial.get("side") != "candidate" or trial.get("failed"):
        return decision.policy
    name, _, _ = str(trial.get("version", "")).rpartition("@")
    return name or decision.policy


def learns_online(router: Router) -> bool:
    """Tell whether a router learns by sums of what it is told."""
    return isinstance(router, Summing)


def subjects_of(files: Files, rules: Rules) -> tuple[Subject, ...]:
    """Return all that learns from the log, in the order of the files. Raises `ConfigError`.

    A router that says that it learns online does so unless its policy forbids it; any other where its policy asks for
    it.
    """
    ways = _ways(files)
    return tuple(
        _subject(files, file, written, rules, frozenset(way for way, name in ways.items() if name == written.name))
        for file in files.policies
        for written in file.routers()
        if _learns(file.config.learning, written)
    )


def _learns(settings: PolicyLearningConfig, written: WrittenRouter) -> bool:
    if settings.enabled is None:
        return learns_online(build_new_router(written))
    return settings.enabled


def _subject(files: Files, file: PolicyFile, written: WrittenRouter, rules: Rules, ways: frozenset[Way]) -> Subject:
    online = learns_online(build_new_router(written))
    trained = manifest_of(written)
    settings = file.config.learning
    depends = {
        "counting": COUNTING,
        "router": dict(written.spec),
        "trained": trained.sha256 if trained else "",
        "encoder": files.config.signals.embedding.model,
        "rules": asdict(rules),
        "ways": sorted([policy, rule or ""] for policy, rule in ways),
        "refit": None if online else settings.window,
    }
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()
    return Subject(written.name, digest, written, settings, online, ways)


def _ways(files: Files) -> dict[Way, str]:
    """Return the name of the router that decides, for each policy and the rules that may match."""
    by_name = {file.config.name: file for file in files.policies}
    return {(name, rule): router for name, file in by_name.items() for rule, router in _routers(file, by_name)}


def _routers(
    file: PolicyFile, by_name: Mapping[str, PolicyFile], within: tuple[str, ...] = ()
) -> Iterator[tuple[str | None, str]]:
    """Yield the rules that may match under a policy, those of policies that they lead to included, and who decides."""
    within = (*within, file.config.name)
    yield None, file.config.name
    for index, rule in enumerate(file.config.rules):
        if rule.policy is not None:
            if rule.policy in within:
                continue  # who serves refuses policies that lead to each other in a circle
            for further, router in _routers(by_name[rule.policy], by_name, within):
                yield rule.name if further is None else f"{rule.name}/{further}", router
        elif rule.refuse is None:
            own = file.router_of(index)
            yield rule.name, file.config.name if own is None else own.name
