"""Policies with what was learned since they were built: other routers, all else the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.policy import Policies, Policy
from gateway.route import Route
from gateway.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.policy import Effect
    from gateway.rules.ruleset import Rule
    from routers.types import Router


@dataclass(frozen=True, slots=True)
class Learned:
    """A router with what it has learned, and the sha256 of that."""

    router: Router
    state: str


def relearned(built: Policies, learned: Mapping[str, Learned]) -> Policies:
    """Return policies as they were built, with routers in place of those of the same name (`policy`, `policy/rule`).

    The digest of a policy tells which learned state is in force, also of the policies that it leads to. Nothing that is
    given is changed.
    """
    changing = _Relearning(learned)
    return replace(built, policies={name: changing.policy(policy) for name, policy in built.policies.items()})


@dataclass(slots=True)
class _Relearning:
    """Changes policies, each once."""

    learned: Mapping[str, Learned]
    done: dict[str, Policy] = field(default_factory=dict)

    def policy(self, policy: Policy) -> Policy:
        if policy.name not in self.done:
            self.done[policy.name] = self._policy(policy)
        return self.done[policy.name]

    def _policy(self, policy: Policy) -> Policy:
        own = self.learned.get(policy.name)
        rules = tuple(self._rule(policy, rule) for rule in policy.rules.rules)
        if own is None and all(new is old for new, old in zip(rules, policy.rules.rules, strict=True)):
            return policy
        states = [self._state(policy.name), *(self._state(f"{policy.name}/{rule.name}") for rule in rules)]
        states += [rule.payload.leads_to.digest for rule in rules if isinstance(rule.payload.leads_to, Policy)]
        digest = hashlib.sha256("\n".join([policy.digest, *states]).encode()).hexdigest()
        route = policy.route if own is None else replace(policy.route, router=own.router)
        return replace(policy, route=route, rules=RuleSet(rules), digest=digest)

    def _rule(self, policy: Policy, rule: Rule[Effect]) -> Rule[Effect]:
        leads_to = rule.payload.leads_to
        if isinstance(leads_to, Policy):
            other = self.policy(leads_to)
            return rule if other is leads_to else replace(rule, payload=replace(rule.payload, leads_to=other))
        if not isinstance(leads_to, Route):
            return rule
        shared = leads_to.router is policy.route.router
        own = self.learned.get(policy.name if shared else f"{policy.name}/{rule.name}")
        if own is None:
            return rule
        return replace(rule, payload=replace(rule.payload, leads_to=replace(leads_to, router=own.router)))

    def _state(self, name: str) -> str:
        return self.learned[name].state if name in self.learned else ""
