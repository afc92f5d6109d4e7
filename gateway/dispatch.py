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

from gateway.course import Course
from gateway.endpoints.gate import NoRoom
from gateway.errors import GatewayError, NoBackendAvailable, NoEligibleModel
from gateway.events import Attempt
from gateway.failures import NoRoomLeft, QuotaSpent, Resting, Step
from providers.errors import ContextTooLong, ProviderError, ProviderMisconfigured, RateLimited, UpstreamRejected
from routers.types import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from gateway.backend import Backend
    from gateway.bill import Bill
    from gateway.changes import Changes
    from gateway.course import Stop
    from gateway.endpoints.endpoint import Endpoint
    from gateway.endpoints.fleet import Fleet
    from gateway.endpoints.gate import Gate
    from gateway.metrics import Metrics
    from providers.types import ChatRequest, Reply, Timeouts
    from routers.types import Call, Candidate, Plan

logger = logging.getLogger("pointsman")

#: Seconds after which a client that found no room may ask again.
NO_ROOM_S = 1.0


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a request is sent.

    `pool` may answer it; `fallback` names who is asked when the choice fails (None: the rest of the pool, likeliest
    first). `forbidden` must not see it, in whatever pool they are and whoever asks for them. `headers` go to the
    endpoint; `authorization` is the caller's own, for those that it is to be sent on to. `attempts` of None means: as
    many as there are to ask; of those that failed in passing, `repeats` are asked again when nobody else is left. Where
    there is no room, it waits behind those of higher `priority`. `bill` is what it holds of its quotas.
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

    def headers_to(self, endpoint: Endpoint) -> Mapping[str, str]:
        """Return the headers that an endpoint gets besides its own."""
        if self.authorization is None or not endpoint.provider.credentials.forwards_callers:
            return self.headers
        return {**self.headers, "authorization": self.authorization}


@dataclass(slots=True)
class Dispatched:
    """An answer under way: whose it is, where it comes from, and with which key. To be ended once, whichever way."""

    backend: Backend
    endpoint: Endpoint
    key: str
    reply: Reply
    gate: Gate
    _ended: bool = False

    def end(self) -> None:
        """Make room for the next request; ending twice is harmless."""
        if not self._ended:
            self._ended = True
            self.gate.leave()


@dataclass(slots=True)
class Dispatcher:
    """Sends one request, which began at `began` by the monotonic clock.

    `attempts` grows with every call, also when the request is given up.
    """

    began: float
    backends: Mapping[str, Backend]
    fleet: Fleet
    metrics: Metrics
    rng: Random
    attempts: list[Attempt] = field(default_factory=list)

    async def run(self, plan: Plan, call: Call, terms: Terms, chat: ChatRequest) -> Dispatched:
        """Drive a plan that has yielded `call` first, to the answer that it settles on.

        Raises `NoBackendAvailable` when every candidate has failed, and `NoEligibleModel` when a plan asks only for
        models that must not see the request.
        """
        while True:
            dispatched = await self._answer(call, terms, chat)
            try:
                call = plan.send((Answer(dispatched.backend.candidate),))
            except StopIteration:
                return dispatched
            await dispatched.reply.aclose()
            dispatched.end()

    async def _answer(self, call: Call, terms: Terms, chat: ChatRequest) -> Dispatched:
        """Ask the call's candidate, then whoever comes next, until one answers."""
        ladder = _permitted(_ladder(call, terms), terms)
        course = Course(ladder, self.backends, self.fleet, self.rng, terms.repeats)
        stop = course.first(time.monotonic(), self._left_s(terms))
        failures: list[ProviderError] = []
        while stop is not None:
            if stop.wait_s:
                await asyncio.sleep(stop.wait_s)
                stop = course.look_again(stop, time.monotonic(), self._left_s(terms))
                continue
            if failures:
                self._follows(stop.step)
            try:
                return await self._attempt(stop, terms, chat)
            except ProviderError as error:
                failures.append(error)
                enough = terms.attempts is not None and len(failures) >= terms.attempts
                stop = None if enough else course.after(stop, error, time.monotonic(), self._left_s(terms))
        if failures:
            self._follows(Step.ESCALATED)
        reason = _reason(failures) if failures else _resting(*course.shortest_wait(time.monotonic()))
        raise NoBackendAvailable(reason) from reason

    async def _attempt(self, stop: Stop, terms: Terms, chat: ChatRequest) -> Dispatched:
        """Ask one endpoint of a model, and note how it went."""
        backend, condition = self.backends[stop.candidate.model], self.fleet.condition(stop.endpoint.name)
        started, clock = datetime.now(UTC), time.monotonic()
        status: int | None = None
        result: str | None = "cancelled"
        try:
            await _claim(stop.candidate, terms.bill)
            await self._enter(condition.gate, terms, stop.endpoint.name)
            reply = await self._send(stop, terms, chat)
            dispatched = Dispatched(backend, stop.endpoint, stop.key, reply, condition.gate)
            status, result = dispatched.reply.status, None
        except ProviderError as error:
            status, result = error.status, error.code
            raise
        finally:
            seconds = time.monotonic() - clock
            self.attempts.append(Attempt(stop.candidate.model, started, seconds, status, result, stop.endpoint.name))
            self.metrics.attempts.labels(stop.candidate.model, result or "ok").inc()
        self.fleet.answered(stop.endpoint, stop.key, seconds, time.monotonic())
        return dispatched

    async def _enter(self, gate: Gate, terms: Terms, name: str) -> None:
        """Wait for room. Raises `NoRoomLeft`."""
        try:
            await gate.wait(terms.priority, self._left_s(terms))
        except NoRoom as error:
            refusal = NoRoomLeft(f"{name} has as many requests as it takes: {error}; try again later", status=429)
            refusal.retry_after_s = NO_ROOM_S
            raise refusal from error

    async def _send(self, stop: Stop, terms: Terms, chat: ChatRequest) -> Reply:
        """Send the request to an endpoint that has let it in; it leaves again where no answer begins."""
        endpoint, condition = stop.endpoint, self.fleet.condition(stop.endpoint.name)
        target = self.backends[stop.candidate.model].target_at(endpoint, terms.changes)
        timeouts = replace(terms.timeouts, total_s=self._left_s(terms))
        condition.breaker.began()
        try:
            return await endpoint.provider.send(chat, target, timeouts, terms.headers_to(endpoint), stop.key)
        except ProviderError as error:
            self._failed(endpoint, stop.key, stop.candidate.model, error)
            condition.gate.leave()
            raise
        except BaseException:
            condition.breaker.abandoned()
            condition.gate.leave()
            raise

    def _left_s(self, terms: Terms) -> float:
        """Return what is left of the time that the whole request has."""
        return max(self.began + terms.timeouts.total_s - time.monotonic(), 0.001)

    def _follows(self, step: Step) -> None:
        """Log what follows from the last attempt, which failed: none fails silently."""
        last = self.attempts[-1] = replace(self.attempts[-1], then=step.value)
        self.metrics.failures.labels(last.model, last.error or "none", step.value).inc()

    def broke(self, dispatched: Dispatched, error: ProviderError) -> None:
        """Note that an answer broke off which the client has the beginning of: nobody else can go on with it."""
        self.attempts[-1] = replace(self.attempts[-1], error=error.code)
        self._follows(Step.ESCALATED)
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


async def _claim(candidate: Candidate, bill: Bill | None) -> None:
    """Reserve what a request to a candidate may take. Raises `QuotaSpent` where a quota does not let it."""
    if bill is None:
        return
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
