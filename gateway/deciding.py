"""From a request to a decision: what is known of it, the route that follows, who is eligible, who is chosen.

Nothing here sends anything or logs anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.data_class import classify
from gateway.demands import demand_of, nobody_eligible
from gateway.dial import pressed, turned
from gateway.errors import RequestError, RequestRejected
from gateway.exploration.budget import Budgets
from gateway.exploration.choosing import Allowance, begin
from gateway.hedging.hedges import Hedges
from gateway.minding import minding
from gateway.policy import match
from gateway.promotion.pairing import decided
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.types import Holder
from gateway.route import Refusal
from gateway.signals.extract import Readings
from gateway.stickiness import Grip, grip, held
from gateway.tasks.task import Task, quota_of
from gateway.trace import Trace
from routers.efforts import AS_ASKED
from routers.types import Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from gateway.constraints import Constraints
    from gateway.data_class import Classified, DataClassRules
    from gateway.eligibility import Demand, Eligibility
    from gateway.endpoints.fleet import Fleet
    from gateway.exploration.choosing import Explored
    from gateway.exploration.rules import Because
    from gateway.latencies import Latencies
    from gateway.policy import Matched, Policies, Policy, Resolved
    from gateway.promotion.promotions import Promotions
    from gateway.promotion.trial import Trial
    from gateway.quotas.quotas import Quotas
    from gateway.route import Route
    from gateway.sessions import Sessions
    from gateway.signals.base import Request
    from gateway.signals.extract import Signals
    from providers.types import ChatRequest
    from routers.types import Call, Candidate, Plan

#: Nobody in particular.
NO_HOLDER = Holder()
#: Signals that every decision reads: how long the request is, what it needs, and what session it belongs to.
ALWAYS = frozenset({"length", "context", "needs", "session", "agent"})


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to be decided on: as it came, as signals see it, and what its caller's key and the caller demand.

    Of higher `priority` it goes first where there is no room; `include_cost` asks for the cost in the usage. `holder`
    is on whose account it goes, but for the policy; `spent` says of models whose quota does not let it pass why.
    `identity` tells its caller's key from every other. `unexplored` says who does not want it to be explored with;
    None: nobody minds.
    """

    chat: ChatRequest
    request: Request
    constraints: Constraints
    priority: int = 1
    include_cost: bool = False
    holder: Holder = NO_HOLDER
    spent: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    unexplored: Because | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What is known beyond the request, and changes from one to the next. Randomness comes from `rng`."""

    fleet: Fleet
    sessions: Sessions
    latencies: Latencies
    rng: Random
    quotas: Quotas
    #: What exploring has cost.
    exploration: Budgets = field(default_factory=lambda: Budgets(MemoryLedger()))
    #: Where candidates stand that are to take the place of policies; None: no candidate is asked.
    promotions: Promotions | None = None
    #: What hedging has taken.
    hedges: Hedges = field(default_factory=Hedges)


@dataclass(frozen=True, slots=True)
class Routed:
    """A decision: the plan's first call, and all that it was made from.

    `chat` is the request as it is to be sent. `pool` may answer, the chosen one included; `forbidden` are all models
    that must not see the request. `session` is the caller's, empty where there is none. `demand` is what it asks of who
    answers it, `holder` on whose account it goes.
    """

    matched: Matched
    route: Route
    chat: ChatRequest
    context: Context
    pool: tuple[Candidate, ...]
    forbidden: frozenset[str]
    session: str
    plan: Plan
    call: Call
    trace: Trace
    demand: Demand
    holder: Holder


@dataclass(slots=True)
class _Stages:
    """Measures how long each stage takes."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)

    def end(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now


class Decider:
    """Decides by one configuration. `data_classes` of None: requests are not classed."""

    def __init__(
        self,
        policies: Policies,
        signals: Signals,
        eligibility: Eligibility,
        data_classes: DataClassRules | None,
        logged: frozenset[str] = frozenset(),
    ) -> None:
        self.policies = policies
        self.signals = signals
        self.eligibility = eligibility
        self.data_classes = data_classes
        self._always = ALWAYS | logged | frozenset({"pii"} if data_classes and data_classes.reads_pii else ())

    async def decide(self, ask: Ask, world: World) -> Routed:
        """Return who is to answer, and why.

        Raises `ModelNotFound`, `RequestError`, `RequestRejected` where a rule or the router refuses, and
        `NoEligibleModel` or `ContextExceeded` where no model may, or can, take the request.
        """
        stages, readings, began = _Stages(), Readings(), time.monotonic()
        resolved = self.policies.resolve(ask.chat.model)
        candidate = self.policies.candidate_of(resolved.policy)
        read = resolved.policy.signals | (candidate.signals if candidate else frozenset())
        await self.signals.extract(ask.request, self._always | read, readings, began)
        stages.end("signals")

        async def decide(policy: Policy) -> Routed:
            return await self._decide(ask, replace(resolved, policy=policy), readings, stages, world, began)

        trial = _trial(resolved.policy, ask, readings, world)
        if candidate is None or trial is None:
            return await decide(resolved.policy)
        return await decided(trial, resolved.policy, candidate, decide)

    async def _decide(
        self, ask: Ask, resolved: Resolved, readings: Readings, stages: _Stages, world: World, began: float
    ) -> Routed:
        """Return the decision by one version of a policy."""
        matched = match(resolved.policy, {**readings.features, "text": ask.request.text})
        stages.end("rules")
        trace = Trace(readings, matched, stages=stages.seconds)
        try:
            return await self._route(ask, resolved, trace, stages, world, began)
        except RequestError as error:
            error.trace = trace
            raise

    async def _route(
        self, ask: Ask, resolved: Resolved, trace: Trace, stages: _Stages, world: World, began: float
    ) -> Routed:
        route = trace.matched.leads_to
        if isinstance(route, Refusal):
            raise RequestRejected(route.message)
        weight = _weight(resolved, ask.constraints)
        ask = replace(ask, holder=replace(ask.holder, policy=resolved.policy.name))
        session = session_of(ask.request, trace.readings.features)
        trace.task = await _task(trace.matched.policy, session, ask, world)
        trace.pressure = world.quotas.pressure(_account(ask, trace), ask.request.at)
        router = turned(route.router, weight, trace.matched.policy, trace.matched.dial)
        router = pressed(router, trace.pressure.price)
        await self.signals.extract(
            ask.request, router.requires | trace.matched.policy.cache_reads, trace.readings, began
        )
        stages.end("signals")
        chat = route.changes.apply(ask.chat)
        pool, forbidden, demand = self._eligible(route, chat, ask, trace, world)
        stages.end("eligibility")
        context = context_of(ask.request.text, trace.readings)
        if trace.task is not None:
            context = replace(context, features={**context.features, **trace.task.features()})
        if session:
            await world.sessions.refresh(trace.matched.policy.name, session)
        allowance = _allowance(ask, trace.matched.policy, world)
        ready = replace(route, router=router, pool=pool)
        plan, call = self._begin(ready, context, session, trace, world, allowance)
        stages.end("route")
        holder = _account(ask, trace)
        return Routed(trace.matched, route, chat, context, pool, forbidden, session, plan, call, trace, demand, holder)

    def _eligible(
        self, route: Route, chat: ChatRequest, ask: Ask, trace: Trace, world: World
    ) -> tuple[tuple[Candidate, ...], frozenset[str], Demand]:
        """Return who of the route may answer, all models that must not see the request, and what it demands."""
        constraints = route.bounds.tightened(ask.constraints)
        classified = self._classified(constraints, trace)
        demand = demand_of(chat, constraints, classified, trace.readings.features, world)
        if not route.keeps_effort:
            demand = replace(demand, effort=AS_ASKED)
        demand = trace.task.demand(demand) if trace.task else demand
        spent = _spent(route.pool, ask.holder, ask, world)
        trace.removed = {**spent, **self.eligibility.removed(route.pool, demand)}
        pool = _affordable(route.pool, demand, trace)
        if not pool:
            raise nobody_eligible(trace.removed)
        demand = trace.task.bounded(demand) if trace.task else demand
        return pool, self.eligibility.forbidden(demand), demand

    def _classified(self, constraints: Constraints, trace: Trace) -> Classified | None:
        if self.data_classes is None:
            return None
        claims = constraints.data_classes | trace.matched.data_classes
        classified = classify(self.data_classes, claims, trace.readings.features)
        trace.data_class = (classified.name, classified.reasons)
        return classified

    def _begin(
        self, route: Route, context: Context, session: str, trace: Trace, world: World, allowance: Allowance
    ) -> tuple[Plan, Call]:
        """Return a plan and its first call; the route's pool is those that are eligible.

        Who has room is chosen among first, then those too for whom the request would have to wait, and those that rest:
        where a router refuses the ones before, or the best of them is expected to answer worse than the policy takes
        under load. Raises `RequestRejected` where it refuses all.
        """
        now, pool = time.monotonic(), route.pool
        tiers = world.fleet.tiers(pool, now)
        trace.resting = tuple(candidate.model for candidate in pool if candidate not in tiers[0])
        policy, features = trace.matched.policy, trace.readings.features
        last = world.sessions.last(policy.name, session)
        tie = grip(policy.stickiness, features, last, tiers[0], now)
        refusal = ""
        router = minding(route.standing_in() or held(route.router, tie), pool, tiers[0], world, now)
        for candidates in tiers:
            try:
                plan, call, explored = begin(router, allowance, (context, candidates), world.rng)
            except StopIteration as end:
                refusal = end.value.reason
            else:
                if candidates is not tiers[-1] and _too_poor(call, policy.least_reward):
                    continue
                stays = tie is not None and call.candidates[0].model == tie.incumbent.model
                trace.kept = tie.why if tie is not None and stays else None
                trace.exploration = explored
                trace.plan = None if call.final else tuple(candidate.model for candidate in call.candidates)
                return plan, replace(call, why=_why(call, tie, explored))
        raise RequestRejected(f"The policy {policy.name!r} refuses the request: {refusal}.")


def _trial(policy: Policy, ask: Ask, readings: Readings, world: World) -> Trial | None:
    """Return the trial that a request is part of; None for none."""
    if policy.promotion is None or world.promotions is None:
        return None
    units = {
        "session": session_of(ask.request, readings.features),
        "caller": ask.identity or ask.request.caller.name or ask.holder.user or "",
        "request": "",
    }
    unit = units[policy.promotion.sticky] or f"{world.rng.getrandbits(64):x}"
    return world.promotions.trial(policy, unit)


def _too_poor(call: Call, least_reward: float | None) -> bool:
    """Tell whether even the best is expected to answer worse than that.

    It does not go by the draw, so that the probabilities that are logged stay true.
    """
    rewards = [estimate.mean for estimate in call.estimates.values()]
    return least_reward is not None and bool(rewards) and max(rewards) < least_reward


def _spent(pool: Sequence[Candidate], holder: Holder, ask: Ask, world: World) -> dict[str, str]:
    """Return the models that a quota does not let answer, each with the reason."""
    spent = world.quotas.exhausted([candidate.model for candidate in pool], ask.request.at)
    for candidate in pool:
        if candidate.price is None and (quota := world.quotas.unpriced(holder, candidate.model)):
            spent[candidate.model] = f"quota: {quota} counts USD, and the price is unknown"
    return {**spent, **ask.spent}


async def _task(policy: Policy, session: str, ask: Ask, world: World) -> Task | None:
    """Return the budget of the session's task, and what is left of it; None where the policy sets none."""
    if policy.task is None:
        return None
    quota = quota_of(policy.task, policy.name, ask.constraints.task_budget_usd)
    return Task(policy.task, quota, session, await world.quotas.standing(quota, session, ask.request.at))


def _account(ask: Ask, trace: Trace) -> Holder:
    """Return on whose account a request goes."""
    return ask.holder if trace.task is None else trace.task.holder(ask.holder)


def _affordable(pool: Sequence[Candidate], demand: Demand, trace: Trace) -> tuple[Candidate, ...]:
    """Return who of a pool is not removed, and may be paid from what is left of the session's budget."""
    kept = tuple(candidate for candidate in pool if candidate.model not in trace.removed)
    if trace.task is None:
        return kept
    trace.removed = {**trace.removed, **trace.task.beyond(kept, demand)}
    if affordable := tuple(candidate for candidate in kept if candidate.model not in trace.removed):
        return affordable
    if (last := trace.task.last_resort(pool, trace.removed, demand)) is None:
        return ()
    trace.task = replace(trace.task, over=True)
    trace.removed = {model: reason for model, reason in trace.removed.items() if model != last.model}
    return (last,)


def context_of(text: str, readings: Readings) -> Context:
    """Return what routers go by."""
    tokens = readings.features.get("prompt_tokens", 0.0)
    features: dict[str, Any] = dict(readings.features)
    if readings.missed:
        features["missed"] = tuple(sorted(readings.missed))
    return Context(text, int(tokens) if isinstance(tokens, float) else 0, readings.embedding, features)


def session_of(request: Request, features: Mapping[str, Any]) -> str:
    """Return the session by which its model is remembered, empty for none: what one caller names is not another's."""
    session = features.get("session")
    return f"{request.caller.name}\n{session}" if isinstance(session, str) else ""


def _weight(resolved: Resolved, constraints: Constraints) -> float | None:
    """Return where the dial is turned: by a header or a member of the body, else by the model's name."""
    return resolved.quality_weight if constraints.quality_weight is None else constraints.quality_weight


def _allowance(ask: Ask, policy: Policy, world: World) -> Allowance:
    """Return whether a request may explore, and what is left for it."""
    rules = policy.exploration
    if not rules.enabled:
        return Allowance("policy")
    if ask.unexplored is not None:
        return Allowance(ask.unexplored)
    if rules.max_usd_per_day is None:
        return Allowance()
    left = world.exploration.left_usd(policy.name, rules.max_usd_per_day, ask.request.at)
    return Allowance(None if left > 0 else "budget", left)


def _why(call: Call, tie: Grip | None, explored: Explored | None) -> str:
    """Return the call's reason, and why it was not explored; where a fixed model stands in, the reason for that."""
    if tie is not None and call.why == "fixed":
        return tie.why
    return call.why if explored is None or explored.off is None else f"{call.why} exploration=off({explored.off})"
