"""Drives a plan: sends its calls, and moves on when one fails, as the table of failures says.

Failure is dispatch's business, rejection the plan's: a plan hears of an error only when nobody is left to ask.
Nothing is tried again once an answer has begun to come.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.constraints import UNBOUNDED
from gateway.course import Course
from gateway.eligibility import Demand
from gateway.endpoints.gate import NoRoom
from gateway.errors import GatewayError, NoBackendAvailable, NoEligibleModel
from gateway.events import Attempt, MadeCall, PlanEnd
from gateway.failures import CutShort, NoRoomLeft, QuotaSpent, Resting, Step
from gateway.hedging.race import answered
from gateway.plans.bounds import Bounds
from gateway.plans.driving import Drive
from gateway.plans.errand import Errand
from providers.errors import (
    ContextTooLong,
    ProviderError,
    ProviderMisconfigured,
    ProviderTimeout,
    RateLimited,
    UpstreamRejected,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from random import Random

    from gateway.backend import Backend
    from gateway.bill import Bill
    from gateway.changes import Changes
    from gateway.course import Stop
    from gateway.endpoints.endpoint import Endpoint
    from gateway.endpoints.fleet import Fleet
    from gateway.endpoints.gate import Gate
    from gateway.hedging.hedges import Hedging
    from gateway.metrics import Metrics
    from providers.types import ChatRequest, Reply, Target, Timeouts
    from routers.types import Call, Candidate, Plan

logger = logging.getLogger("pointsman")

#: Seconds after which a client that found no room may ask again.
NO_ROOM_S = 1.0
#: Who is asked at all has so many seconds.
LEAST_S = 0.001
#: With so little time left nobody else is asked: he could not answer, and would seem to have failed.
TOO_LATE_S = 0.02
#: An endpoint has had its time when it had so much of it: some went by before it was asked.
MOST_OF_IT = 0.9


@dataclass(slots=True)
class Terms:
    """On what terms a request is sent.

    `pool` may answer it; `fallback` names who is asked when the choice fails (None: the rest of the pool, likeliest
    first). `forbidden` must not see it, in whatever pool they are and whoever asks for them. `headers` go to the
    endpoint; `authorization` is the caller's own, for those that it is to be sent on to. `attempts` of None means: as
    many as there are to ask; of those that failed in passing, `repeats` are asked again when nobody else is left. Where
    there is no room, it waits behind those of higher `priority`. `bill` is what it holds of its quotas. `demand` is
    what it asks of who answers, `bounds` are how far a plan of several calls may go, and `usd` is
    what one call may take at most (None: any sum). `then` is what follows where nobody answers. `hedging` is how it may
    be hedged, None where it may not. `given_s` are the seconds that endpoints are given for a whole answer, where the
    request has fewer (None: as many as it has).
    """

    pool: tuple[Candidate, ...]
    fallback: tuple[str, ...] | None
    forbidden: frozenset[str]
    timeouts: Timeouts
    attempts: int | None
    headers: Mapping[str, str]
    changes: Changes
    repeats: int = 1
    authorization: str | None = None
    priority: int = 0
    bill: Bill | None = None
    demand: Demand = field(default_factory=lambda: Demand(UNBOUNDED))
    bounds: Bounds = field(default_factory=Bounds)
    usd: Decimal | None = None
    then: Step = Step.ESCALATED
    hedging: Hedging | None = None
    given_s: float | None = None

    def headers_to(self, endpoint: Endpoint) -> Mapping[str, str]:
        """Return the headers that an endpoint gets besides its own."""
        if self.authorization is None or not endpoint.provider.credentials.forwards_callers:
            return self.headers
        return {**self.headers, "authorization": self.authorization}


@dataclass(slots=True)
class Dispatched:
    """An answer under way: whose it is, where it comes from, and with which key. To be ended once, whichever way.

    `why` is the plan's word for what it was asked for, `began` when, by the monotonic clock; `prompt_tokens` are about
    those that it was sent.
    """

    backend: Backend
    endpoint: Endpoint
    key: str
    reply: Reply
    gate: Gate
    why: str = ""
    began: float = 0.0
    prompt_tokens: int = 0
    #: The request's terms: by them an endpoint has had its time, or not.
    terms: Terms | None = None
    _ended: float | None = None

    @property
    def took_s(self) -> float:
        """Return the seconds that it took, or has taken up to now."""
        return (time.monotonic() if self._ended is None else self._ended) - self.began

    def end(self) -> None:
        """Make room for the next request; ending twice is harmless."""
        if self._ended is None:
            self._ended = time.monotonic()
            self.gate.leave()


@dataclass(slots=True)
class Dispatcher:
    """Sends one request, which began at `began` by the monotonic clock.

    `attempts` grows with every call, also when the request is given up; `made` are a plan's calls but the one whose
    answer is returned, `plan_end` is how it ended. Where somebody else has been asked to answer it
    too, it is `hedged`: who fails is followed by nobody.
    """

    began: float
    backends: Mapping[str, Backend]
    fleet: Fleet
    metrics: Metrics
    rng: Random
    attempts: list[Attempt] = field(default_factory=list)
    made: list[MadeCall] = field(default_factory=list)
    plan_end: PlanEnd | None = None
    hedged: bool = False
    errand: Errand | None = None

    def leg(self) -> Dispatcher:
        """Return one that sends the same request and notes its attempts by itself."""
        return replace(self, attempts=[], made=[], errand=None)

    def ladder(self, call: Call, terms: Terms) -> Sequence[Candidate]:
        """Return who is asked, in order. Raises `NoEligibleModel` where nobody may answer."""
        if len(terms.pool) == 1 and not terms.forbidden and terms.pool[0].model == call.candidates[0].model:
            return call.candidates
        return _permitted(_ladder(call, terms), terms)

    async def run(self, plan: Plan, call: Call, terms: Terms, chat: ChatRequest) -> Dispatched:
        """Drive a plan that has yielded `call` first, to the answer that it settles on.

        Raises `NoBackendAvailable` when every candidate has failed, and `NoEligibleModel` when a plan asks only for
        models that must not see the request.
        """
        if not call.final or terms.bounds.several or terms.bounds.max_cost_usd is not None:
            return await Drive(self, terms, chat).run(plan, call)
        # Whoever makes one call without a bound on its cost needs nobody to drive him.
        dispatched = await answered(self, call, terms, chat)
        plan.close()
        return dispatched

    async def answer(self, call: Call, terms: Terms, chat: ChatRequest) -> Dispatched:
        """Ask the call's candidate, then whoever comes next, until one answers. Raises as `run` does."""
        course = Course(self.ladder(call, terms), self.backends, self.fleet, self.rng, terms.repeats)
        stop = course.first(time.monotonic(), self._left_s(terms))
        errand = self.errand = Errand(chat, call, terms.demand, self.backends, terms.usd, terms.then)
        failures: list[ProviderError] = []
        while stop is not None:
            if stop.wait_s:
                await asyncio.sleep(stop.wait_s)
                stop = course.look_again(stop, time.monotonic(), self._left_s(terms))
                continue
            if failures:
                self._follows(stop.step)
            try:
                return await self._attempt(stop, terms, errand)
            except ProviderError as error:
                errand.failed(error)
                failures.append(error)
                left_s = self._left_s(terms)
                enough = self.hedged or (terms.attempts is not None and len(failures) >= terms.attempts)
                stop = None if enough or left_s < TOO_LATE_S else course.after(stop, error, time.monotonic(), left_s)
        if failures:
            self._follows(Step.CANDIDATE if self.hedged else terms.then)
        reason = _reason(failures) if failures else _resting(*course.shortest_wait(time.monotonic()))
        raise NoBackendAvailable(reason) from reason

    async def _attempt(self, stop: Stop, terms: Terms, errand: Errand) -> Dispatched:
        """Ask one endpoint of a model, and note how it went."""
        endpoint, model, let_in = stop.endpoint, stop.candidate.model, False
        backend, condition = self.backends[model], self.fleet.condition(endpoint.name)
        started, clock = datetime.now(UTC), time.monotonic()
        status: int | None = None
        result: str | None = "cancelled"
        try:
            if terms.bill is not None and terms.bill.counts:
                await _claim(stop.candidate, terms.bill)
            if condition.gate.has_room:
                condition.gate.enter()
            else:
                await self._wait(condition.gate, terms, endpoint.name)
            let_in = True
            condition.breaker.began()
            target = _limited(backend.target_at(endpoint, terms.changes), terms.demand)
            timeouts, headers = terms.timeouts.within(self._left_s(terms)), terms.headers_to(endpoint)
            reply = await endpoint.provider.send(errand.to(stop.candidate), target, timeouts, headers, stop.key)
            status, result = reply.status, None
        except ProviderError as failure:
            error = _blamed(failure, time.monotonic() - clock, terms, streams=errand.chat.stream)
            status, result = error.status, error.code
            if let_in:
                self._failed(endpoint, stop.key, model, error)
            raise error from failure.__cause__
        finally:
            if let_in and result is not None:  # no answer begins: it leaves again
                condition.breaker.abandoned()
                condition.gate.leave()
            now = time.monotonic()
            self.attempts.append(Attempt(model, started, now - clock, status, result, endpoint.name))
            self.metrics.attempts.labels(model, result or "ok").inc()
        self.fleet.answered(endpoint, stop.key, now - clock, now)
        return Dispatched(
            backend, endpoint, stop.key, reply, condition.gate, errand.call.why, clock, errand.prompt_tokens, terms
        )

    async def _wait(self, gate: Gate, terms: Terms, name: str) -> None:
        """Wait for room. Raises `NoRoomLeft`."""
        try:
            await gate.wait(terms.priority, self._left_s(terms))
        except NoRoom as error:
            refusal = NoRoomLeft(f"{name} has as many requests as it takes: {error}; try again later", status=429)
            refusal.retry_after_s = NO_ROOM_S
            raise refusal from error

    def _left_s(self, terms: Terms) -> float:
        """Return what is left of the time that the whole request has."""
        return max(self.began + terms.timeouts.total_s - time.monotonic(), LEAST_S)

    def _follows(self, step: Step) -> None:
        """Log what follows from the last attempt, which failed: none fails silently."""
        last = self.attempts[-1] = replace(self.attempts[-1], then=step.value)
        self.metrics.failures.labels(last.model, last.error or "none", step.value).inc()

    def broke(self, dispatched: Dispatched, error: ProviderError, then: Step = Step.ESCALATED) -> None:
        """Note that an answer broke off which the client, or a plan, has the beginning of: nobody can go on with it."""
        self.attempts[-1] = replace(self.attempts[-1], error=error.code)
        self._follows(then)
        if dispatched.terms is not None:
            error = _blamed(error, dispatched.took_s, dispatched.terms, streams=True)
        self._failed(dispatched.endpoint, dispatched.key, dispatched.backend.candidate.model, error)

    def out_of_time(self) -> None:
        """Note that the last attempt was given up because the request's time was up."""
        if self.attempts and self.attempts[-1].error is not None and self.attempts[-1].then is None:
            self._follows(Step.ESCALATED)

    def _failed(self, endpoint: Endpoint, key: str, model: str, error: ProviderError) -> None:
        """Spare what a failure says is to be spared, and say why."""
        self.fleet.failed(endpoint, key, error, time.monotonic())
        level = logging.ERROR if isinstance(error, ProviderMisconfigured) else logging.WARNING
        said = {"model": model, "endpoint": endpoint.name, "error": error.code, "reason": str(error)}
        logger.log(level, "attempt.failed", extra=said)


def _blamed(error: ProviderError, took_s: float, terms: Terms, *, streams: bool) -> ProviderError:
    """Return a failure, or that the request was cut short, where the endpoint has not had its time.

    A caller may ask for an answer in half a second, and who is asked last may have as little: nobody else's requests
    are to be kept from an endpoint for that.
    """
    if not isinstance(error, ProviderTimeout):
        return error
    times, given_s = terms.timeouts, terms.timeouts.total_s if terms.given_s is None else terms.given_s
    its_time_s = min(given_s, times.ttft_s, times.gap_s) if streams else given_s
    return error if took_s >= its_time_s * MOST_OF_IT else CutShort(str(error), status=error.status)


def _limited(target: Target, demand: Demand) -> Target:
    """Return a target that is told how long an answer may be at most, where something depends on that."""
    if demand.most_tokens is None:
        return target
    most = demand.most_tokens if target.max_tokens is None else min(target.max_tokens, demand.most_tokens)
    return replace(target, max_tokens=most)


async def _claim(candidate: Candidate, bill: Bill) -> None:
    """Reserve what a request to a candidate may take. Raises `QuotaSpent` where a quota does not let it."""
    try:
        await bill.moved(candidate)
    except GatewayError as error:
        raise QuotaSpent(str(error), status=error.status) from error


def _reason(failures: Sequence[ProviderError]) -> ProviderError:
    """Return the failure that tells the client most: that the prompt is too long, rather than that one was away."""
    if isinstance(failures[-1], UpstreamRejected):
        return failures[-1]
    return next((error for error in failures if isinstance(error, ContextTooLong)), failures[-1])


def _resting(seconds: float, asked_for: bool) -> ProviderError:  # noqa: FBT001 - private, and named by its source
    error = (
        RateLimited("every model that may answer has asked to be left alone for a while", status=429)
        if asked_for
        else Resting("every model that may answer has failed lately, and rests", status=503)
    )
    error.retry_after_s = seconds
    return error


def _ladder(call: Call, terms: Terms) -> Sequence[Candidate]:
    """Return who is asked, in order: the call's candidate, then those fallbacks that may answer."""
    (first,) = call.candidates
    by_name = {candidate.model: candidate for candidate in terms.pool}
    names = terms.fallback if terms.fallback is not None else _likeliest(call, terms.pool)
    return [first, *(by_name[name] for name in names if name != first.model and name in by_name)]


def _permitted(ladder: Sequence[Candidate], terms: Terms) -> Sequence[Candidate]:
    """Return who of a ladder may see the request.

    The router chooses among the eligible only; this is the last gate, which no plan passes, however it was made.
    Raises `NoEligibleModel` where nobody is left.
    """
    if not terms.forbidden:
        return ladder
    permitted = [candidate for candidate in ladder if candidate.model not in terms.forbidden]
    if len(permitted) < len(ladder):
        barred = [candidate.model for candidate in ladder if candidate.model in terms.forbidden]
        logger.error("dispatch.forbidden", extra={"models": barred})
    if not permitted:
        raise NoEligibleModel(
            "No model may answer this request: its data class, or the caller or its key, forbids those that were asked."
        )
    return permitted


def _likeliest(call: Call, pool: Sequence[Candidate]) -> list[str]:
    """Return the pool's names, likeliest first; those equally likely by expected reward, then by name."""

    def key(candidate: Candidate) -> tuple[float, float, str]:
        estimate = call.estimates.get(candidate.model)
        return -call.propensities.get(candidate.model, 0), -(estimate.mean if estimate else 0), candidate.model

    return [candidate.model for candidate in sorted(pool, key=key)]
