"""Drives a plan: sends its calls, and moves on to the next candidate when one fails.

Failure is dispatch's business, rejection the plan's: a plan hears of an error only when no candidate is left.
Nothing is tried again once an answer has begun to come.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.errors import NoBackendAvailable, NoEligibleModel
from gateway.events import Attempt
from providers.errors import ContextTooLong, ProviderError, ProviderMisconfigured, RateLimited, UpstreamRejected
from routers.types import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.changes import Changes
    from gateway.health import Health
    from gateway.metrics import Metrics
    from gateway.pricing import Tariff
    from providers.provider import Provider
    from providers.types import ChatRequest, Reply, Target, Timeouts
    from routers.types import Call, Candidate, Plan

logger = logging.getLogger("pointsman")


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a model is reached, and what it costs; a tariff of None is unknown.

    `reasons` tells whether the model can be told how much to reason.
    """

    candidate: Candidate
    provider: Provider
    target: Target
    tariff: Tariff | None
    reasons: bool = True

    def target_for(self, changes: Changes) -> Target:
        """Return the model as its endpoint knows it, with the effort that a rule asks for."""
        if not self.reasons or (changes.effort is None and changes.reasoning is None):
            return self.target
        return replace(self.target, effort=changes.effort, reasoning=changes.reasoning)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a request is sent.

    `pool` may answer it; `fallback` names who is asked when the choice fails (None: the rest of the pool, likeliest
    first). `forbidden` must not see it, in whatever pool they are and whoever asks for them. `headers` go to the
    endpoint. `attempts` of None means: each candidate once.
    """

    pool: tuple[Candidate, ...]
    fallback: tuple[str, ...] | None
    forbidden: frozenset[str]
    timeouts: Timeouts
    attempts: int | None
    headers: Mapping[str, str]
    changes: Changes


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An answer under way, and who gives it."""

    backend: Backend
    reply: Reply


@dataclass(slots=True)
class Dispatcher:
    """Sends one request, which began at `began` by the monotonic clock.

    `attempts` grows with every call, also when the request is given up.
    """

    began: float
    backends: Mapping[str, Backend]
    health: Health
    metrics: Metrics
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

    async def _answer(self, call: Call, terms: Terms, chat: ChatRequest) -> Dispatched:
        """Ask the call's candidate, then the fallbacks, until one answers."""
        failures: list[ProviderError] = []
        window = 0
        for candidate in _permitted(_ladder(call, terms), terms)[: terms.attempts]:
            if window and not _is_larger(candidate, window):
                continue
            backend = self.backends[candidate.model]
            try:
                return Dispatched(backend, await self._attempt(backend, terms, chat))
            except UpstreamRejected as error:
                raise NoBackendAvailable(error) from error
            except ContextTooLong as error:
                failures.append(error)
                window = max(window, candidate.context_window or 0)
            except ProviderError as error:
                failures.append(error)
        # That the prompt is too long is a better reason to give than that another model was away.
        reason = next((error for error in failures if isinstance(error, ContextTooLong)), failures[-1])
        raise NoBackendAvailable(reason) from reason

    async def _attempt(self, backend: Backend, terms: Terms, chat: ChatRequest) -> Reply:
        """Ask one model, and note how it went."""
        model = backend.candidate.model
        started, clock = datetime.now(UTC), time.monotonic()
        status: int | None = None
        result: str | None = "cancelled"
        try:
            target = backend.target_for(terms.changes)
            reply = await backend.provider.send(chat, target, self._timeouts(terms.timeouts), terms.headers)
            status, result = reply.status, None
        except ProviderError as error:
            status, result = error.status, error.code
            self.broke(model, error)
            raise
        finally:
            self.attempts.append(Attempt(model, started, time.monotonic() - clock, status, result))
            self.metrics.attempts.labels(model, result or "ok").inc()
        self.health.succeeded(model)
        return reply

    def _timeouts(self, timeouts: Timeouts) -> Timeouts:
        """Return the time limits, the whole one less what the request has taken already."""
        left_s = self.began + timeouts.total_s - time.monotonic()
        return replace(timeouts, total_s=max(left_s, 0.001))

    def broke(self, model: str, error: ProviderError) -> None:
        """Let a model rest that failed, also in the middle of a stream, and say why."""
        now = time.monotonic()
        if isinstance(error, RateLimited) or error.retry_after_s is not None:
            self.health.limited(model, now, error.retry_after_s)
        elif error.at_fault and not self.health.rests(model, now):
            # Requests that were under way together fail together: that is one failure, not many in a row.
            self.health.failed(model, now)
        level = logging.ERROR if isinstance(error, ProviderMisconfigured) else logging.WARNING
        logger.log(level, "attempt.failed", extra={"model": model, "error": error.code, "reason": str(error)})


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


def _is_larger(candidate: Candidate, window: int) -> bool:
    """Tell whether a candidate may take a prompt that did not fit into `window`; one of unknown size may."""
    return candidate.context_window is None or candidate.context_window > window
