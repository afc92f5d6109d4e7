"""Policies: what a client may name as `model`, and which route its rules give a request.

A model's own name is a policy too: one candidate, taken with certainty.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.constraints import UNBOUNDED
from gateway.dial import read_dial
from gateway.errors import ModelNotFound
from gateway.exploration.rules import UNBOUNDED as EXPLORING
from gateway.exploration.rules import ExplorationRules
from gateway.route import Refusal, Route, only
from gateway.rules.features import with_defaults
from gateway.rules.projections import Projections, apply
from gateway.rules.ruleset import RuleSet
from gateway.signals.extract import EMBEDDING
from routers.efforts import base_of
from routers.types import Dialled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.caching.types import CacheRules
    from gateway.constraints import Constraints
    from gateway.hedging.rules import HedgeRules
    from gateway.promotion.types import Rules
    from gateway.rules.ruleset import Match
    from gateway.tasks.task import TaskRules
    from providers.types import Timeouts
    from routers.types import Candidate, Feature

NO_PROJECTIONS = Projections()


@dataclass(frozen=True, slots=True)
class Stickiness:
    """When the model that answered last is kept: within a loop of tools, and within a session.

    After `idle_s` seconds a session is free to change: the provider's prompt cache has gone cold.
    """

    tool_loop: bool = True
    session: bool = True
    idle_s: float = 300.0


#: The default: the model is kept in both.
STICKY = Stickiness()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a rule leads to: a route, a refusal, or another policy, which goes on. A tag goes into the log."""

    leads_to: Route | Refusal | Policy
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules over what is known of a request, and the route where none matches.

    `defaults` stand in for features that are absent. `dial` is how far clients may turn it. `data_class` is the least
    that requests count as. `digest` identifies the policy as written and the learned state in force.
    """

    name: str
    description: str
    route: Route
    digest: str
    rules: RuleSet[Effect] = field(default_factory=lambda: RuleSet(()))
    projections: Projections = NO_PROJECTIONS
    defaults: Mapping[str, Feature] = field(default_factory=dict)
    stickiness: Stickiness = STICKY
    dial: tuple[float, float] = (0.0, 1.0)
    data_class: str | None = None
    #: Under load, a request rather waits than goes to models that are all expected to answer worse than this.
    least_reward: float | None = None
    #: Which of its answers are given again; None: none.
    cache: CacheRules | None = None
    #: How far its routers explore.
    exploration: ExplorationRules = EXPLORING
    #: When a second model is asked; None: never.
    hedge: HedgeRules | None = None
    #: Seconds of silence after which a client is sent comments, where answers are heard out first; None: never.
    keep_alive_s: float | None = None
    #: The signals that its rules read, and those of the policies that they lead to.
    signals: frozenset[str] = frozenset()
    #: How another policy takes its place; None: none does.
    promotion: Rules | None = None
    #: What the requests of one session may cost together; None: any sum.
    task: TaskRules | None = None

    @property
    def asks(self) -> bool:
        """Tell whether it asks for features by itself: in rules, projections or defaults."""
        return bool(self.rules.rules or self.projections.ordered or self.defaults)

    @property
    def dialled(self) -> bool:
        """Tell whether some route of it has a dial."""
        return any(isinstance(route.router, Dialled) for route in self.routes())

    @property
    def pool(self) -> tuple[Candidate, ...]:
        """Return the candidates where no rule matches."""
        return self.route.pool

    @property
    def cache_reads(self) -> frozenset[str]:
        """Return the signals that looking for an answer to give again needs."""
        return frozenset({EMBEDDING}) if self.cache is not None and self.cache.semantic else frozenset()

    def routes(self) -> Iterator[Route]:
        """Yield every route that a request may be given, those of other policies included."""
        yield self.route
        for rule in self.rules.rules:
            leads_to = rule.payload.leads_to
            if isinstance(leads_to, Policy):
                yield from leads_to.routes()
            elif isinstance(leads_to, Route):
                yield leads_to


@dataclass(slots=True)
class Step:
    """A policy whose rules were asked, and what came of it."""

    policy: Policy
    match: Match[Effect]


@dataclass(slots=True)
class Matched:
    """Where a request's features lead: the route or refusal, and every policy on the way, the last one in force.

    `rule` names the rules that matched, as `rule` or `rule/rule of the policy that it leads to`, None for none; `tag`
    is that of the last rule that has one.
    """

    leads_to: Route | Refusal
    steps: tuple[Step, ...]
    #: The features as the last policy's rules saw them: with its defaults and projections.
    features: Mapping[str, Feature]
    #: The policy in force.
    policy: Policy
    rule: str | None = None
    tag: str | None = None

    @property
    def dial(self) -> tuple[float, float]:
        """Return how far the dial may be turned: as far as every policy on the way lets it."""
        bounds = [step.policy.dial for step in self.steps]
        return max(low for low, _ in bounds), min(high for _, high in bounds)

    @property
    def data_classes(self) -> frozenset[str]:
        """Return the data classes that the policies claim."""
        return frozenset(step.policy.data_class for step in self.steps if step.policy.data_class is not None)


def match(policy: Policy, known: Mapping[str, Feature]) -> Matched:
    """Return where a request's features lead."""
    if not policy.asks:  # as a model that is asked by its name, and many a policy
        return Matched(policy.route, (Step(policy, policy.rules.match(known)),), known, policy)
    steps: list[Step] = []
    names: list[str] = []
    tag = None
    while True:
        features = _as_seen(policy, known)
        found = policy.rules.match(features)
        steps.append(Step(policy, found))
        if found.rule is None:
            return Matched(policy.route, tuple(steps), features, policy, "/".join(names) or None, tag)
        names.append(found.rule.name)
        effect = found.rule.payload
        tag = tag if effect.tag is None else effect.tag
        if not isinstance(effect.leads_to, Policy):
            return Matched(effect.leads_to, tuple(steps), features, policy, "/".join(names), tag)
        policy = effect.leads_to


def _as_seen(policy: Policy, known: Mapping[str, Feature]) -> Mapping[str, Feature]:
    """Return the features as a policy's rules see them."""
    if not policy.defaults and not policy.projections.ordered:
        return known
    return apply(policy.projections, with_defaults(known, policy.defaults))


@dataclass(frozen=True, slots=True)
class Resolved:
    """The policy that a request is under, and where the name turns the dial; None: where the policy has it."""

    policy: Policy
    quality_weight: float | None = None


@dataclass(frozen=True, slots=True)
class Policies:
    """All that clients may name: policies first, then models."""

    policies: Mapping[str, Policy]
    models: Mapping[str, Candidate]
    #: For models that are asked by their own name.
    timeouts: Timeouts
    bounds: Constraints = UNBOUNDED
    _named: dict[str, Resolved] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Make ready what names without a dial stand for: nearly all requests have such a one."""
        for model, candidate in self.models.items():
            route = only(candidate, self.timeouts, self.bounds)
            self._named[model] = Resolved(Policy(candidate.model, "", route, digest=""))
        self._named.update({name: Resolved(policy) for name, policy in self.policies.items()})

    def resolve(self, name: str) -> Resolved:
        """Return what `auto`, `auto:cheap`, `auto:0.3` or a model's own name stands for.

        Raises `ModelNotFound`, or `RequestError` where the dial is out of range.
        """
        if (resolved := self._named.get(name)) is not None:
            return resolved
        base, colon, dial = name.rpartition(":")
        if colon and (policy := self.policies.get(base)) is not None:
            return Resolved(policy, read_dial(dial, policy.name))
        model = base_of(name)
        hint = f"It may be asked as {model!r}, with a 'reasoning_effort'. " if model in self.models else ""
        raise ModelNotFound(
            f"The model {name!r} does not exist: neither a policy nor a model has this name. {hint}"
            f"Known: {', '.join([*self.policies, *self.models])}.",
            param="model",
        )

    def candidate_of(self, policy: Policy) -> Policy | None:
        """Return what is to take a policy's place, under its name: sessions, quotas and the log know one policy."""
        if policy.promotion is None or (found := self.policies.get(policy.promotion.candidate)) is None:
            return None
        return replace(found, name=policy.name)

    def known(self, name: str) -> str:
        """Return the policy or model that a name stands for, without the dial; empty for one that does not exist."""
        base = name if name in self.policies or name in self.models else name.rpartition(":")[0]
        return base if base in self.policies or base in self.models else ""
