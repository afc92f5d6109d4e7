"""The life of a request: what is known of it, who answers it, what came of that."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.again import Again
from gateway.bill import Bill, Bills, most_of
from gateway.caching.hit import Hit, Miss, Origin
from gateway.caching.types import Holder
from gateway.client import Client
from gateway.dispatch import Dispatcher, Terms
from gateway.errors import NoBackendAvailable, NoEligibleModel, NotCached, QuotasSpent, RequestRejected
from gateway.events import Decision, LoggedEstimate
from gateway.exchange import Exchange, Wishes
from gateway.ids import uuid7
from gateway.implicit.ear import Ear, Overheard
from gateway.plans.bounds import Bounds
from gateway.quotas.errors import QuotaExceeded, QuotasUnavailable, QuotaUnpriced
from gateway.turn import turn
from gateway.waiting import Waiting
from providers.errors import ProviderTimeout
from providers.time_limit import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.deciding import Ask, World
    from gateway.deliberation import Routed
    from gateway.exploration.choosing import Explored
    from gateway.hedging.hedges import Hedging
    from gateway.metrics import Metrics
    from gateway.quotas.types import Estimate
    from gateway.recorder import Recorder
    from gateway.runtime import Runtime
    from routers.types import Call


#: Seconds after its end in which a request notices by itself that its time is up.
NOTICED_S = 0.1
#: Why a request may not pass; they are counted.
REFUSALS = (RequestRejected, NoEligibleModel, QuotasSpent, QuotaExceeded, QuotaUnpriced, QuotasUnavailable)


@dataclass(slots=True)
class Arrival:
    """A request as it came: its id, when (wall clock, and seconds of the monotonic clock), headers to pass on."""

    request_id: str
    at: datetime
    clock: float
    headers: Mapping[str, str]
    #: The caller's own `Authorization`, for endpoints that it is to be sent on to.
    authorization: str | None = field(default=None, repr=False)
    #: Who waits for the answer.
    client: Client = field(default_factory=Client)


@dataclass(slots=True)
class Held:
    """What a request holds when it is sent: of its quotas, and the place for its answer in the cache."""

    bill: Bill
    miss: Miss


class Pipeline:
    """Takes requests through their life."""

    def __init__(self, recorder: Recorder, metrics: Metrics, world: World) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._world = world
        self._bills = Bills(world.quotas)

    async def aclose(self) -> None:
        """Wait until all that requests took has been counted."""
        await self._bills.aclose()
        await self._world.exploration.aclose()
        await self._world.hedges.purse.aclose()

    async def route(self, runtime: Runtime, ask: Ask) -> Routed:
        """Decide who should answer; nothing is sent and nothing is logged.

        Raises `GatewayError`.
        """
        routed = await runtime.decider.decide(ask, self._world)
        for stage, seconds in routed.trace.stages.items():
            self._metrics.overhead_seconds.labels(stage).observe(seconds)
        return routed

    async def complete(self, runtime: Runtime, ask: Ask, arrival: Arrival) -> Exchange | Again:
        """Route a request and send it; return the answer under way, or one that is given again.

        From the decision on there is exactly one outcome, however it ends. Raises `GatewayError`.
        """
        try:
            return await self._complete(runtime, ask, arrival)
        except REFUSALS as error:
            self._metrics.refused.labels(runtime.policies.known(ask.chat.model), error.code).inc()
            if self._world.promotions is not None and isinstance(error, RequestRejected | NoEligibleModel):
                self._world.promotions.refused(runtime.policies.known(ask.chat.model), error.trace)
            raise

    async def _complete(self, runtime: Runtime, ask: Ask, arrival: Arrival) -> Exchange | Again:
        heard: set[str] = set()
        while True:
            routed = await self.route(runtime, ask)
            await turn()
            rules = routed.matched.policy.cache
            looked = await runtime.caching.lookup(ask, routed, rules, _holder(ask), arrival.at)
            if isinstance(looked, Hit):
                return Again(looked, routed, include_cost=ask.include_cost)
            if looked.only:
                raise NotCached("There is no answer in the cache, and 'only-if-cached' asks for no other.")
            chosen = routed.call.candidates[0]
            try:
                bill = await self._bills.open(routed.holder, chosen, routed.demand, _most(routed))
            except (QuotaExceeded, QuotaUnpriced) as error:
                if not error.of_model or chosen.model in ask.spent:
                    raise
                if error.reason == "budget" and chosen.model not in heard:
                    # What others have taken of the session's budget is known now, and what is left may do.
                    heard.add(chosen.model)
                    continue
                # Others may answer: it is decided anew, without this one.
                ask = replace(ask, spent={**ask.spent, chosen.model: f"{error.reason}: {error}"})
            else:
                return await self._send(runtime, ask, arrival, routed, Held(bill, looked))

    async def _send(self, runtime: Runtime, ask: Ask, arrival: Arrival, routed: Routed, held: Held) -> Exchange:
        decision = self._decision(runtime, ask, arrival, routed)
        self._recorder.record(decision)
        self._metrics.propensity.labels(decision.policy).observe(decision.propensities[decision.chosen])
        if routed.trace.exploration is not None:
            self._charge(routed.trace.exploration, routed.matched.policy.name, arrival.at)
        dispatcher = Dispatcher(arrival.clock, runtime.backends, self._world.fleet, self._metrics, self._world.rng)
        ear = Ear(Overheard(decision, ask, routed), runtime.listeners) if runtime.listeners else None
        buffered = not routed.call.final
        wishes = Wishes(held.bill, self._bills.headers(routed.holder), ask.include_cost, ear, buffered)
        exchange = Exchange(decision, arrival, dispatcher, self._recorder, self._metrics, wishes=wishes)
        policy = routed.matched.policy
        terms = terms_of(routed, arrival, ask, held.bill, self._world.hedges.of(policy.name, policy.hedge))
        work = self._begin(exchange, dispatcher, routed, terms, held.miss)
        silence_s = policy.keep_alive_s
        if silence_s is None or not buffered or not ask.chat.stream:
            await work
        elif not await (waiting := Waiting(work, silence_s, exchange.drop)).soon():
            exchange.wait(waiting)
        return exchange

    async def _begin(
        self, exchange: Exchange, dispatcher: Dispatcher, routed: Routed, terms: Terms, miss: Miss
    ) -> None:
        """Have the request answered, until the answer begins."""
        with exchange:
            await turn()
            try:
                # Who is asked has as long, and is to be known as the one who let it pass.
                with TimeLimit(terms.timeouts.total_s + NOTICED_S):
                    answer = await dispatcher.run(routed.plan, routed.call, terms, routed.chat)
            except TimeoutError as error:
                dispatcher.out_of_time()
                late = ProviderTimeout(f"no candidate answered within {terms.timeouts.total_s:g} s")
                raise NoBackendAvailable(late) from error
            model = answer.backend.candidate.model
            if miss.write is not None:
                answer.reply = miss.keep(answer.reply, Origin(model, str(exchange.decision_id)))
            exchange.begin(answer, self._world.latencies)
            if routed.session:
                self._world.sessions.note(routed.matched.policy.name, routed.session, model, time.monotonic())

    def _charge(self, explored: Explored, policy: str, at: datetime) -> None:
        """Count what exploring costs; whatever comes of the request, it was meant to be spent."""
        if not explored.strayed:
            return
        self._metrics.explored.labels(policy).inc()
        if explored.extra_usd:
            self._metrics.exploration_usd.labels(policy).inc(explored.extra_usd)
            self._world.exploration.spend(policy, explored.extra_usd, at)

    def _decision(self, runtime: Runtime, ask: Ask, arrival: Arrival, routed: Routed) -> Decision:
        """Return the decision as it is logged."""
        call, context, store = routed.call, routed.context, runtime.config.store
        embedding = context.embedding.astype("<f4").tobytes() if context.embedding is not None else None
        asked_for = routed.matched.steps[0].policy
        return Decision(
            id=uuid7(arrival.at, self._world.rng),
            at=arrival.at,
            request_id=arrival.request_id,
            policy=asked_for.name,
            policy_digest=asked_for.digest,
            requested_model=ask.chat.model,
            stream=ask.chat.stream,
            chosen=call.candidates[0].model,
            why=call.why,
            propensities=dict(call.propensities),
            estimates=_logged(call) if call.estimates else {},
            features={**context.features, "prompt_tokens": float(context.prompt_tokens)},
            embedding=embedding if store.embedding else None,
            text=context.text if store.text else None,
            rule=routed.matched.rule,
            tag=routed.matched.tag,
            trace=routed.trace.as_json(),
            caller=ask.identity,
        )


def _logged(call: Call) -> dict[str, LoggedEstimate]:
    """Return what was expected of each candidate, as it is logged."""
    return {
        model: LoggedEstimate(estimate.mean, estimate.std, call.expected_cost_usd.get(model))
        for model, estimate in call.estimates.items()
    }


def _holder(ask: Ask) -> Holder:
    """Return whose answers a request may be given again."""
    return Holder(ask.identity, ask.holder.team)


def terms_of(
    routed: Routed, arrival: Arrival, ask: Ask, bill: Bill | None = None, hedging: Hedging | None = None
) -> Terms:
    """Return on what terms a decision is carried out; `hedging` is how it may be hedged, None where it may not."""
    route, timeouts, usd = routed.route, routed.route.timeouts, routed.demand.constraints.max_cost_usd
    most_s, allowed_s = route.bounds.tightened(ask.constraints).max_latency_s, route.bounds.max_latency_s
    return Terms(
        pool=routed.pool,
        fallback=route.fallback,
        forbidden=routed.forbidden,
        timeouts=timeouts if most_s is None else timeouts.within(min(most_s, timeouts.total_s)),
        attempts=route.attempts,
        repeats=route.repeats,
        headers={**arrival.headers, **route.changes.headers} if route.changes.headers else arrival.headers,
        changes=route.changes,
        priority=ask.priority,
        authorization=arrival.authorization,
        bill=bill,
        demand=routed.demand,
        bounds=route.reach if usd is None else Bounds(route.max_calls, Decimal(str(usd)), route.several),
        hedging=hedging,
        given_s=timeouts.total_s if allowed_s is None else min(allowed_s, timeouts.total_s),
    )


def _most(routed: Routed) -> Estimate | None:
    """Return what a plan of several calls may take; None where the request takes one."""
    calls = routed.route.most_calls
    return most_of(calls, routed.pool, routed.demand) if calls > 1 else None


def arrive(
    request_id: str, headers: Mapping[str, str], authorization: str | None = None, client: Client | None = None
) -> Arrival:
    """Return a request's arrival, now."""
    return Arrival(request_id, datetime.now(UTC), time.monotonic(), headers, authorization, client or Client())
