"""One request on its way to a decision, by one version of a policy: its route, who is eligible, who is chosen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.bill import estimate
from gateway.data_class import classify
from gateway.demands import demand_of, nobody_eligible
from gateway.dial import pressed, turned
from gateway.errors import RequestError, RequestRejected
from gateway.exploration.choosing import Allowance, begin
from gateway.gathering import gregarious
from gateway.minding import minding
from gateway.policy import match
from gateway.quotas.pressure import NO_PRESSURE
from gateway.route import Refusal
from gateway.stickiness import grip, held
from gateway.tasks.task import Task, quota_of
from gateway.trace import Trace
from routers.types import Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.data_class import Classified, DataClassRules
    from gateway.deciding import Ask, Decider, World
    from gateway.eligibility import Demand
    from gateway.exploration.choosing import Explored
    from gateway.policy import Matched, Resolved
    from gateway.quotas.types import Holder
    from gateway.route import Route
    from gateway.signals.base import Request
    from gateway.signals.extract import Readings
    from gateway.stickiness import Grip
    from gateway.tasks.task import TaskRules
    from providers.types import ChatRequest
    from routers.types import Call, Candidate, Plan, Router

#: The request may explore, whatever that costs.
ALLOWED = Allowance()


@dataclass(slots=True)
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
class Stages:
    """Measures how long each stage takes, by the monotonic clock: the request's deliberation `began` then."""

    began: float
    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._since = self.began

    def end(self, stage: str) -> None:
        """Note that a stage is over."""
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now


class Deliberation:
    """Decides on one request. The readings may be those of another version's deliberation: nothing is read twice."""

    __slots__ = (
        "_ask",
        "_by",
        "_holder",
        "_matched",
        "_readings",
        "_resolved",
        "_stages",
        "_trace",
        "_world",
    )
    _matched: Matched
    _trace: Trace

    def __init__(
        self, ask: Ask, resolved: Resolved, readings: Readings, stages: Stages, by: Decider, world: World
    ) -> None:
        self._ask = ask
        self._resolved = resolved
        self._readings = readings
        self._stages = stages
        self._by = by
        self._world = world
        self._holder = ask.holder.under(resolved.policy.name)

    async def decide(self) -> Routed:
        """Return the decision. Raises `RequestError`, which has the trace of what was found out before."""
        policy, features = self._resolved.policy, self._readings.features
        self._matched = match(policy, {**features, "text": self._ask.request.text} if policy.asks else features)
        self._stages.end("rules")
        self._trace = Trace(self._readings, self._matched, stages=self._stages.seconds)
        try:
            return await self._route()
        except RequestError as error:
            error.trace = self._trace
            raise

    async def _route(self) -> Routed:
        ask, trace, world, features = self._ask, self._trace, self._world, self._readings.features
        route, policy = self._matched.leads_to, self._matched.policy
        if isinstance(route, Refusal):
            raise RequestRejected(route.message)
        session = session_of(ask.request, features)
        if policy.task is not None:
            trace.task = await _task(policy.task, policy.name, session, ask, world)
        trace.pressure = world.quotas.pressure(self._account(), ask.request.at)
        router = self._dialled(route.router)
        wanted = router.requires if policy.cache is None else router.requires | policy.cache_reads
        if wanted:
            if not self._by.signals.extract_now(ask.request, wanted, trace.readings):
                await self._by.signals.extract(ask.request, wanted, trace.readings, self._stages.began)
            self._stages.end("signals")
        context = self._context()
        if gregarious(router):
            router = await self._by.gathering.joined(router, context, route.pool)
            self._stages.end("route")
        chat = route.changes.apply(ask.chat)
        pool, demand = self._eligible(route, chat)
        forbidden = self._by.eligibility.forbidden(demand)
        self._stages.end("eligibility")
        if session:
            await world.sessions.refresh(policy.name, session)
        plan, call = self._begin(route, router, pool, context, session)
        self._stages.end("route")
        account = self._account()
        return Routed(self._matched, route, chat, context, pool, forbidden, session, plan, call, trace, demand, account)

    def _account(self) -> Holder:
        """Return on whose account the request goes, by what is known of its task's budget."""
        return self._holder if self._trace.task is None else self._trace.task.holder(self._holder)

    def _dialled(self, router: Router) -> Router:
        """Return the route's router with its dial turned, by whoever asks for that and by how scarce money is."""
        asked = self._trace.dial = self._ask.constraints.quality_weight
        weight = self._resolved.quality_weight if asked is None else asked
        if weight is not None:
            router = turned(router, weight, self._matched.policy, self._matched.dial)
        pressure = self._trace.pressure
        return router if pressure is NO_PRESSURE else pressed(router, pressure.price)

    def _eligible(self, route: Route, chat: ChatRequest) -> tuple[tuple[Candidate, ...], Demand]:
        """Return who of the route may answer, and what the request demands of them."""
        ask, trace = self._ask, self._trace
        constraints = route.bounds.tightened(ask.constraints)
        rules = self._by.data_classes
        classified = None if rules is None else self._classified(rules, constraints.data_classes)
        demand = demand_of(chat, ask.request, constraints, classified, trace.readings.features, self._world)
        if not route.keeps_effort:
            demand = demand.at_any_effort()
        if trace.task is not None:
            demand = trace.task.demand(demand)
        trace.removed = self._by.eligibility.removed(route.pool, demand)
        if ask.spent or self._world.quotas.count(self._holder):
            trace.removed = self._spent(route.pool, demand) | trace.removed
        pool = _affordable(route.pool, demand, trace) if trace.removed or trace.task else route.pool
        if not pool:
            raise nobody_eligible(trace.removed)
        return pool, trace.task.bounded(demand) if trace.task else demand

    def _spent(self, pool: Sequence[Candidate], demand: Demand) -> dict[str, str]:
        """Return the models that a quota does not let answer, each with the reason."""
        quotas, ask, by_name = self._world.quotas, self._ask, {candidate.model: candidate for candidate in pool}
        spent = quotas.exhausted(list(by_name), lambda model: estimate(by_name[model], demand), ask.request.at)
        for candidate in pool:
            if candidate.price is None and (quota := quotas.unpriced(self._holder, candidate.model)):
                spent[candidate.model] = f"quota: {quota} counts USD, and the price is unknown"
        return {**spent, **ask.spent}

    def _classified(self, rules: DataClassRules, claims: frozenset[str]) -> Classified:
        classified = classify(rules, claims | self._matched.data_classes, self._trace.readings.features)
        self._trace.data_class = (classified.name, classified.reasons)
        return classified

    def _context(self) -> Context:
        context, task = context_of(self._ask.request.text, self._readings), self._trace.task
        return context if task is None else replace(context, features={**context.features, **task.features()})

    def _begin(
        self, route: Route, router: Router, pool: tuple[Candidate, ...], context: Context, session: str
    ) -> tuple[Plan, Call]:
        """Return a plan and its first call; the pool is those that are eligible.

        Who has room is chosen among first, then those too for whom the request would have to wait, and those that rest:
        where a router refuses the ones before, or the best of them is expected to answer worse than the policy takes
        under load. Raises `RequestRejected` where it refuses all.
        """
        now, world, policy, trace = time.monotonic(), self._world, self._matched.policy, self._trace
        tiers = world.fleet.tiers(pool, now)
        if len(tiers[0]) < len(pool):
            trace.resting = tuple(candidate.model for candidate in pool if candidate not in tiers[0])
        last = world.sessions.last(policy.name, session) if session else None
        tie = None if last is None else grip(policy.stickiness, trace.readings.features, last, tiers[0], now)
        router = minding(route.standing_in(pool) or held(router, tie), pool, tiers[0], world, now)
        allowance = self._allowance()
        refusal = ""
        for candidates in tiers:
            try:
                plan, call, explored = begin(router, allowance, (context, candidates), world.rng)
            except StopIteration as end:
                refusal = end.value.reason
            else:
                if candidates is not tiers[-1] and _too_poor(call, policy.least_reward):
                    continue
                plain = tie is None and explored is None and call.final
                return plan, call if plain else self._noted(call, tie, explored)
        raise RequestRejected(f"The policy {policy.name!r} refuses the request: {refusal}.")

    def _noted(self, call: Call, tie: Grip | None, explored: Explored | None) -> Call:
        """Note in the trace how a plan begins; return its first call with all the reasons for it."""
        trace = self._trace
        if tie is not None and call.candidates[0].model == tie.incumbent.model:
            trace.kept = tie.why
        trace.exploration = explored
        trace.plan = None if call.final else tuple(candidate.model for candidate in call.candidates)
        why = _why(call, tie, explored)
        return call if why == call.why else replace(call, why=why)

    def _allowance(self) -> Allowance:
        """Return whether the request may explore, and what is left for it."""
        ask, policy = self._ask, self._matched.policy
        rules = policy.exploration
        if not rules.enabled:
            return Allowance("policy")
        if ask.unexplored is not None:
            return Allowance(ask.unexplored)
        if rules.max_usd_per_day is None:
            return ALLOWED
        left = self._world.exploration.left_usd(policy.name, rules.max_usd_per_day, ask.request.at)
        return Allowance(None if left > 0 else "budget", left)


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


async def _task(rules: TaskRules, policy: str, session: str, ask: Ask, world: World) -> Task:
    """Return the budget of the session's task, and what is left of it."""
    quota = quota_of(rules, policy, ask.constraints.task_budget_usd)
    return Task(rules, quota, session, await world.quotas.standing(quota, session, ask.request.at))


def _too_poor(call: Call, least_reward: float | None) -> bool:
    """Tell whether even the best is expected to answer worse than that.

    It does not go by the draw, so that the probabilities that are logged stay true.
    """
    if least_reward is None:
        return False
    rewards = [estimate.mean for estimate in call.estimates.values()]
    return bool(rewards) and max(rewards) < least_reward


def _affordable(pool: tuple[Candidate, ...], demand: Demand, trace: Trace) -> tuple[Candidate, ...]:
    """Return who of a pool is not removed, and may be paid from what is left of the session's budget."""
    kept = tuple([candidate for candidate in pool if candidate.model not in trace.removed]) if trace.removed else pool
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


def _why(call: Call, tie: Grip | None, explored: Explored | None) -> str:
    """Return the call's reason, and why it was not explored; where a fixed model stands in, the reason for that."""
    if tie is not None and call.why == "fixed":
        return tie.why
    return call.why if explored is None or explored.off is None else f"{call.why} exploration=off({explored.off})"
