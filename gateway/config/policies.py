"""Turns policies as written into policies: rules with their routes, and routers with what they have learned."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.changes import Changes
from gateway.config.caching import cache_rules
from gateway.config.candidates import build_candidates
from gateway.config.promotions import with_promotions
from gateway.config.routers import check_names, checked_router, manifest_of
from gateway.config.rules import read_condition, read_defaults, read_projections
from gateway.config.tasks import task_rules
from gateway.constraints import Constraints
from gateway.exploration.rules import ExplorationRules
from gateway.hedging.rules import HedgeRules
from gateway.policy import Effect, Policies, Policy, Stickiness
from gateway.route import Refusal, Route
from gateway.rules.features import find_kind
from gateway.rules.ruleset import Rule, RuleSet
from gateway.signals.registry import features, signal_of
from providers.types import Timeouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.config.files import Files, PolicyFile
    from gateway.config.models import LimitsConfig
    from gateway.config.policy_models import RuleConfig
    from gateway.rules.projections import Projections
    from routers.types import Candidate, Router


def build_policies(files: Files, encoder_digest: str | None) -> Policies:
    """Return all policies with their routers.

    Raises `ConfigError` for the first thing that is wrong with a policy, its rules or its routers, also where policies
    lead to each other in a circle, and where learned state was made with another encoder than the one in use.
    """
    candidates = {name: candidate for name, (candidate, _) in build_candidates(files.config).items()}
    building = _Building(files, candidates, encoder_digest)
    built = {file.config.name: building.policy(file, ()) for file in files.policies}
    policies = with_promotions(built, files.policies)
    limits = files.config.limits
    return Policies(policies, candidates, timeouts_of(limits), _bounds(limits))


def pool_of(names: Iterable[str] | None, candidates: Mapping[str, Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates of those names; all where none are given."""
    return tuple(candidates[name] for name in names or candidates)


def timeouts_of(limits: LimitsConfig) -> Timeouts:
    """Return the time limits."""
    return Timeouts(limits.connect_s, limits.ttft_s, limits.gap_s, limits.timeout_s, limits.max_stream_bytes)


@dataclass(slots=True)
class _Building:
    """Builds policies, each after those that it leads to, and each once."""

    files: Files
    candidates: Mapping[str, Candidate]
    encoder_digest: str | None
    built: dict[str, Policy] = field(default_factory=dict)

    def policy(self, file: PolicyFile, within: tuple[str, ...]) -> Policy:
        """Return a policy; `within` are those that lead to it."""
        name = file.config.name
        if name not in self.built:
            self.built[name] = self._policy(file, (*within, name))
        return self.built[name]

    def _policy(self, file: PolicyFile, within: tuple[str, ...]) -> Policy:
        config = file.config
        route = self._route(file)
        projections = read_projections(file, features())
        known = {**features(), **projections.provides}
        rules = RuleSet(
            Rule(rule.name, rule.priority, read_condition(file, n, known), self._effect(file, n, route, within))
            for n, rule in enumerate(config.rules)
        )
        return Policy(
            name=config.name,
            description=config.description,
            route=route,
            digest=self._digest(file, rules),
            rules=rules,
            projections=projections,
            defaults=read_defaults(file, features()),
            stickiness=Stickiness(**config.stickiness.model_dump()),
            dial=(config.dial.min, config.dial.max),
            data_class=config.data_class,
            least_reward=config.under_load.least_reward,
            cache=cache_rules(config.cache),
            exploration=ExplorationRules(**config.exploration.model_dump()),
            hedge=None if config.hedge is None else HedgeRules(**config.hedge.model_dump()),
            keep_alive_s=config.keep_alive_s,
            signals=_signals(rules, projections),
            task=task_rules(config.task),
        )

    def _route(self, file: PolicyFile) -> Route:
        """Return the route where no rule matches."""
        config = file.config
        pool = pool_of(config.pool or self.files.config.offered, self.candidates)
        limits = config.limits or self.files.config.limits
        router = checked_router(file.router, _names(pool), self.encoder_digest)
        keeps = config.client_effort == "keep"
        route = Route(pool, router, config.fallback, timeouts_of(limits), keeps_effort=keeps)
        return _within(route, limits)

    def _effect(self, file: PolicyFile, index: int, route: Route, within: tuple[str, ...]) -> Effect:
        """Return what the rule at `index` leads to."""
        rule = file.config.rules[index]
        if rule.refuse is not None:
            return Effect(Refusal(rule.refuse), rule.tag)
        if rule.policy is None:
            return Effect(self._route_of_rule(file, index, route), rule.tag)
        if rule.policy in within:
            circle = " -> ".join([*within[within.index(rule.policy) :], rule.policy])
            raise file.document.error(("rules", index, "policy"), f"policies lead to each other in a circle: {circle}")
        other = next(other for other in self.files.policies if other.config.name == rule.policy)
        return Effect(self.policy(other, within), rule.tag)

    def _route_of_rule(self, file: PolicyFile, index: int, route: Route) -> Route:
        rule = file.config.rules[index]
        pool = pool_of(rule.pool, self.candidates) if rule.pool else route.pool
        fallback = rule.fallback if rule.fallback is not None or rule.pool else route.fallback
        route = replace(
            route,
            pool=pool,
            router=self._router_of_rule(file, index, route, pool),
            fallback=fallback,
            changes=_changes(rule),
        )
        if rule.limits is None:
            return route
        return _within(route, rule.limits)

    def _router_of_rule(self, file: PolicyFile, index: int, route: Route, pool: tuple[Candidate, ...]) -> Router:
        written = file.router_of(index)
        if written is not None:
            return checked_router(written, _names(pool), self.encoder_digest)
        check_names(replace(file.router, place=("rules", index, "pool")), route.router, _names(pool))
        return route.router

    def _digest(self, file: PolicyFile, rules: RuleSet[Effect]) -> str:
        """Return the sha256 of a policy as written, of the learned state, and of the policies that it leads to."""
        written = json.dumps(file.document.data, sort_keys=True, default=str).encode()
        digest = hashlib.sha256(written)
        for router in file.routers():
            learned = manifest_of(router)
            digest.update((learned.sha256 if learned else "").encode())
        for rule in rules.rules:
            if isinstance(rule.payload.leads_to, Policy):
                digest.update(rule.payload.leads_to.digest.encode())
        return digest.hexdigest()


def _names(pool: Iterable[Candidate]) -> list[str]:
    return [candidate.model for candidate in pool]


def _within(route: Route, limits: LimitsConfig) -> Route:
    """Return a route with those limits."""
    return replace(
        route,
        timeouts=timeouts_of(limits),
        attempts=limits.attempts,
        repeats=limits.repeats,
        max_calls=limits.max_calls,
        bounds=_bounds(limits),
    )


def _bounds(limits: LimitsConfig) -> Constraints:
    return Constraints(max_cost_usd=limits.max_cost_usd, max_latency_s=limits.max_latency_s)


def _changes(rule: RuleConfig) -> Changes:
    return Changes(
        system_prompt=rule.system_prompt,
        parameters=rule.parameters,
        headers={name.lower(): value for name, value in rule.headers.items()},
        effort=rule.effort,
        reasoning=rule.reasoning,
    )


def _signals(rules: RuleSet[Effect], projections: Projections) -> frozenset[str]:
    """Return the signals that rules and projections read, and those of the policies that the rules lead to."""
    read = {feature for feature in rules.features | projections.features if find_kind(feature, features())}
    others = [rule.payload.leads_to for rule in rules.rules if isinstance(rule.payload.leads_to, Policy)]
    return frozenset({signal_of(feature) for feature in read}).union(*(policy.signals for policy in others))
