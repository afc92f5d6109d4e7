"""The life of a request: what is known of it, who answers it, what came of that."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.dispatch import Dispatcher
from gateway.errors import NoBackendAvailable, RequestRejected
from gateway.events import Decision, LoggedEstimate
from gateway.exchange import Exchange
from gateway.ids import uuid7
from providers.errors import ProviderTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from gateway.dispatch import Dispatched
    from gateway.health import Health
    from gateway.metrics import Metrics
    from gateway.policy import Policy, Resolved
    from gateway.recorder import Recorder
    from gateway.runtime import Runtime
    from providers.types import ChatRequest
    from routers.types import Call, Context, Plan


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came: its id, when (wall clock, and seconds of the monotonic clock), headers to pass on."""

    request_id: str
    at: datetime
    clock: float
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Routed:
    """A decision: the plan's first call, and all that it was made from."""

    policy: Policy
    context: Context
    plan: Plan
    call: Call


class Pipeline:
    """Takes requests through their life. Randomness comes from `rng`."""

    def __init__(self, recorder: Recorder, metrics: Metrics, health: Health, rng: Random) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._health = health
        self._rng = rng

    async def route(self, runtime: Runtime, chat: ChatRequest) -> Routed:
        """Decide who should answer; nothing is sent and nothing is logged.

        Raises `ModelNotFound` and `RequestError`.
        """
        resolved = runtime.policies.resolve(chat.model)
        context = await runtime.signals.extract(chat, resolved.router.requires)
        started = time.monotonic()
        plan, call = self._begin(resolved, context, started)
        self._metrics.overhead_seconds.labels("route").observe(time.monotonic() - started)
        return Routed(resolved.policy, context, plan, call)

    def _begin(self, resolved: Resolved, context: Context, now: float) -> tuple[Plan, Call]:
        """Return a plan and its first call.

        A router that refuses all candidates that are awake is asked again with the whole pool: a poor chance
        beats none. Raises `RequestRejected` where it refuses those too.
        """
        refusal = ""
        for candidates in (self._health.awake(resolved.policy.pool, now), resolved.policy.pool):
            plan = resolved.router.plan(context, candidates, self._rng)
            try:
                return plan, next(plan)
            except StopIteration as end:
                refusal = end.value.reason
        raise RequestRejected(f"The policy {resolved.policy.name!r} refuses the request: {refusal}.")

    async def complete(self, runtime: Runtime, chat: ChatRequest, arrival: Arrival) -> Exchange:
        """Route a request and send it; return the answer under way.

        From the decision on there is exactly one outcome, however it ends. Raises `GatewayError`.
        """
        routed = await self.route(runtime, chat)
        decision = self._decision(runtime, chat, arrival, routed)
        self._recorder.record(decision)
        self._metrics.propensity.labels(routed.policy.name).observe(decision.propensities[decision.chosen])
        dispatcher = Dispatcher(arrival.clock, runtime.backends, self._health, self._metrics)
        exchange = Exchange(decision, arrival, dispatcher, self._recorder, self._metrics)
        with exchange:
            exchange.begin(await _in_time(dispatcher, routed, chat, arrival))
        return exchange

    def _decision(self, runtime: Runtime, chat: ChatRequest, arrival: Arrival, routed: Routed) -> Decision:
        """Return the decision as it is logged."""
        call, context, store = routed.call, routed.context, runtime.config.store
        embedding = context.embedding.astype("<f4").tobytes() if context.embedding is not None else None
        return Decision(
            id=uuid7(arrival.at, self._rng),
            at=arrival.at,
            request_id=arrival.request_id,
            policy=routed.policy.name,
            policy_digest=routed.policy.digest,
            requested_model=chat.model,
            stream=chat.stream,
            chosen=call.candidates[0].model,
            why=call.why,
            propensities=dict(call.propensities),
            estimates={
                model: LoggedEstimate(estimate.mean, estimate.std, call.expected_cost_usd.get(model))
                for model, estimate in call.estimates.items()
            },
            features={**context.features, "prompt_tokens": float(context.prompt_tokens)},
            embedding=embedding if store.embedding else None,
            text=context.text if store.text else None,
        )


async def _in_time(dispatcher: Dispatcher, routed: Routed, chat: ChatRequest, arrival: Arrival) -> Dispatched:
    """Return the answer under way. Raises `NoBackendAvailable`, also when the policy's time is up."""
    limit_s = routed.policy.timeouts.total_s
    try:
        async with asyncio.timeout(limit_s):
            return await dispatcher.run(routed.plan, routed.call, routed.policy, chat, arrival.headers)
    except TimeoutError as error:
        late = ProviderTimeout(f"no candidate answered within {limit_s:g} s")
        raise NoBackendAvailable(late) from error


def arrive(request_id: str, headers: Mapping[str, str]) -> Arrival:
    """Return a request's arrival, now."""
    return Arrival(request_id, datetime.now(UTC), time.monotonic(), headers)
