"""One routed request, from its decision to its outcome: exactly one, however it ends."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from gateway.account import Account
from gateway.client import ClientLeft
from gateway.cost_in_usage import CostOfStream, costed
from gateway.errors import GatewayError, NoBackendAvailable, NoEligibleModel, error_event, refusal_event
from gateway.events import Outcome
from gateway.store.rows import call_row
from gateway.turn import turn
from providers.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from gateway.bill import Bill
    from gateway.client import Outlet
    from gateway.dispatch import Dispatched, Dispatcher
    from gateway.events import Decision
    from gateway.implicit.ear import Ear
    from gateway.latencies import Latencies
    from gateway.metrics import Metrics
    from gateway.pipeline import Arrival
    from gateway.recorder import Recorder
    from gateway.waiting import Waiting
    from providers.types import Sink

#: nginx's status for a client that left before it was answered.
CLIENT_LEFT = 499
DEFECT = 500
#: The status of a stream that was begun before there was an answer.
PROMISED = 200
#: The messages of cancellations: because the client left, and because the gateway stops.
LEFT = "client left"
STOPPED = "the gateway stops"
#: Upstream's headers that are the client's business.
RELAYED_HEADERS = ("openai-", "x-ratelimit-")


@dataclass(slots=True)
class Wishes:
    """What goes with a request: what it holds of its quotas, what is left of its limits, and what its client wants.

    `ear` overhears the answer; None where nobody listens. `buffered` tells whether its plan looks at answers before the
    client gets one.
    """

    bill: Bill
    limit_headers: Mapping[str, str]
    include_cost: bool = False
    ear: Ear | None = None
    buffered: bool = False


class Exchange:
    """The answer to one request, and its bookkeeping.

    As a context it covers the time until an answer begins: what is raised in it ends it. Then it ends by `whole`
    (the answer is relayed in one piece), `relay` (it is streamed) or `abandon`.
    """

    def __init__(
        self,
        decision: Decision,
        arrival: Arrival,
        dispatcher: Dispatcher,
        recorder: Recorder,
        metrics: Metrics,
        *,
        wishes: Wishes,
    ) -> None:
        self.decision = decision
        self._arrival = arrival
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._metrics = metrics
        self._include_cost = wishes.include_cost
        self._bill = wishes.bill
        self._limit_headers = wishes.limit_headers
        self._ear = wishes.ear
        self._buffered = wishes.buffered
        self._waiting: Waiting | None = None
        self._answer: Dispatched | None = None
        self._account = Account(dispatcher.made)
        self._latencies: Latencies | None = None
        self._ttft_s: float | None = None
        self._ended = False

    def __enter__(self) -> Self:
        """Begin to wait for an answer."""
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Record why there is no answer: no candidate gave one, the client left, or a defect."""
        if isinstance(error, NoBackendAvailable | NoEligibleModel):
            self._end(PROMISED if self._waiting else error.status, error.code)
            error.headers |= self.headers
        elif isinstance(error, asyncio.CancelledError) and self._left(error):
            self.abandon()
        elif isinstance(error, asyncio.CancelledError):
            self._end(PROMISED if self._waiting else DEFECT, "gateway_stopped")
        elif error is not None:
            self._end(PROMISED if self._waiting else DEFECT, "internal_error")

    def abandon(self) -> None:
        """Record that the client left before an answer began."""
        self._end(CLIENT_LEFT, "client_left")

    def begin(self, answer: Dispatched, latencies: Latencies) -> None:
        """Note whose answer it is; it is under way from now on. How long it takes in all is told to `latencies`."""
        self._answer = self._account.answer = answer
        self._latencies = latencies
        self._ttft_s = self._elapsed_s() if answer.reply.streams else None

    def wait(self, waiting: Waiting) -> None:
        """Promise a stream: the client hears something before there is an answer, which can no longer be an error's."""
        self._waiting = waiting

    async def drop(self, cut: BaseException) -> None:
        """Record that an answer has begun of which the client gets nothing; harmless where none has."""
        if self._answer is not None:
            self._end(*self._cut_short(cut, PROMISED))
            await self._answer.reply.aclose()

    @property
    def trace(self) -> Mapping[str, Any]:
        """Return the trace of the decision, with the calls that a plan has made since, the last one excepted."""
        made = [call_row(call) for call in self._dispatcher.made]
        return {**self.decision.trace, "calls": made} if made else self.decision.trace

    @property
    def decision_id(self) -> UUID:
        """Return the decision that the answer comes from."""
        return self.decision.id

    @property
    def streams(self) -> bool:
        """Tell whether the answer is a stream."""
        return self._waiting is not None or (self._answer is not None and self._answer.reply.streams)

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the answer: whose it is, and upstream's own that concern the client.

        The cost is there once the answer is whole; an unknown one is said to be unknown.
        """
        decision, answer = self.decision, self._answer
        headers = {
            "x-pointsman-decision-id": str(decision.id),
            "x-pointsman-policy": decision.policy,
        }
        if self._buffered:
            headers["x-pointsman-buffered"] = "true"
        if self._waiting is None:
            headers["x-pointsman-attempts"] = str(len(self._dispatcher.attempts))
        if decision.rule is not None:
            headers["x-pointsman-rule"] = decision.rule
        if (promotion := decision.trace.get("promotion")) is not None:
            headers["x-pointsman-version"] = promotion["version"] if promotion["side"] == "candidate" else "live"
        made = len(self._dispatcher.made)
        if self._waiting is not None:
            return {**headers, **self._limit_headers}
        if answer is None:
            return headers | ({"x-pointsman-calls": str(made)} if made else {})
        headers |= relayed(answer.reply.headers)
        # Limits of its own key are the caller's business, rather than those of the gateway's key at the endpoint.
        headers |= self._limit_headers
        headers["x-pointsman-model"] = answer.backend.candidate.model
        if made:
            headers["x-pointsman-calls"] = str(made + 1)
        if not answer.reply.streams:
            charged = self._account.close()
            headers["x-pointsman-cost-usd"] = "unknown" if charged.usd is None else f"{charged.usd:f}"
            headers |= {"x-pointsman-cost-source": charged.source} if charged.source else {}
        return headers

    async def whole(self) -> bytes:
        """Return an answer that came whole, and record it as complete."""
        try:
            await turn()
        except asyncio.CancelledError as cut:
            await self.drop(cut)
            raise
        answer = self._under_way
        reply = answer.reply
        pieces: list[bytes] = []
        await reply.pour(pieces.extend)
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._ear is not None:
            self._ear.whole(body, reply.answer)
        if self._include_cost:
            body = costed(body, self._account.close(), reply, answer.prompt_tokens)
        self._end(reply.status, None)
        return body

    async def relay(self, outlet: Outlet) -> None:
        """Give a client the events of a stream; where there is no answer yet, comments come first.

        A broken one ends with an error event, and never as if complete. Raises `ClientLeft`.
        """
        if self._waiting is None or await self._promised(self._waiting, outlet):
            await self._relayed(outlet)

    async def _promised(self, waiting: Waiting, outlet: Outlet) -> bool:
        """Send comments until the answer begins, and tell whether it has; else the client is told why."""
        try:
            async with aclosing(waiting.comments()) as comments:
                async for comment in comments:
                    await _sent(outlet, comment)
        except GatewayError as error:  # it is recorded already
            await _sent(outlet, refusal_event(error))
            return False
        return True

    async def _relayed(self, outlet: Outlet) -> None:
        reply, sink = self._under_way.reply, self._sink(outlet)
        status, error = reply.status, "internal_error"
        try:
            while await reply.pour(sink):
                await outlet.drained()
            status, error = reply.status, ""
        except ProviderError as broken:
            status, error = reply.status, broken.code
            self._dispatcher.broke(self._under_way, broken)
            self._end(status, error)  # before the client hears of it
            await _sent(outlet, error_event(str(broken), broken.code))
        except (asyncio.CancelledError, ClientLeft) as cut:
            status, error = self._cut_short(cut, reply.status)
            raise
        finally:
            self._end(status, error or None)
            await reply.aclose()

    def _sink(self, outlet: Outlet) -> Sink:
        """Return what takes the events of the stream: for the client, and for who listens."""
        reply, ear = self._under_way.reply, self._ear
        cost = CostOfStream(reply, self._under_way.prompt_tokens, self._account.so_far) if self._include_cost else None
        if cost is None and ear is None:
            return outlet.write

        def sink(events: Sequence[bytes]) -> bool:
            held = outlet.write(events if cost is None else cost.added(events))
            if ear is not None:
                ear.events(events)
            return held

        return sink

    @property
    def _under_way(self) -> Dispatched:
        if self._answer is None:
            raise RuntimeError("no answer has begun")
        return self._answer

    def _left(self, cut: BaseException) -> bool:
        """Tell whether an answer was cut short because its client left: else it is the gateway that stops.

        Comments are closed by whoever has nobody to send them to.
        """
        return self._arrival.client.left or isinstance(cut, GeneratorExit | ClientLeft) or cut.args == (LEFT,)

    def _cut_short(self, cut: BaseException, status: int) -> tuple[int, str]:
        """Return the status and the error of an answer that was cut short."""
        return (CLIENT_LEFT, "client_left") if self._left(cut) else (status, "gateway_stopped")

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._arrival.clock

    def _end(self, status: int, error: str | None) -> None:
        """Record the outcome, once."""
        if self._ended:
            return
        self._ended = True
        answer, account = self._answer, self._account
        if answer is not None:
            answer.end()
        if self._bill.counts:
            account.pay(self._bill)
        served_by = answer.backend.candidate.model if answer else None
        usage = answer.reply.usage if answer else None
        charged, latency_s = account.close(), self._elapsed_s()
        outcome = Outcome(
            decision_id=self.decision.id,
            at=datetime.now(UTC),
            served_by=served_by,
            status=status,
            error=error,
            finish_reason=answer.reply.finish_reason if answer else None,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            cost_usd=charged.usd,
            ttft_s=self._ttft_s,
            latency_s=latency_s,
            attempts=tuple(self._dispatcher.attempts),
            cost_source=charged.source,
            cache_write_tokens=usage.cache_write_tokens if usage else None,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            audio_prompt_tokens=usage.audio_prompt_tokens if usage else None,
            audio_completion_tokens=usage.audio_completion_tokens if usage else None,
            calls=tuple(self._dispatcher.made),
            answer=account.call(error) if self._dispatcher.made else None,
            plan_end=self._dispatcher.plan_end,
        )
        if served_by is not None and self._latencies and error is None:
            seconds = outcome.answer.latency_s if outcome.answer else latency_s
            self._latencies.note(served_by, seconds, self._arrival.clock + latency_s)
        self._recorder.record(outcome)
        self._metrics.observe(self.decision.policy, outcome)
        if self._ear is not None:
            self._ear.ended(outcome)


async def _sent(outlet: Outlet, event: bytes) -> None:
    """Send an event, and wait until there is room for more. Raises `ClientLeft`."""
    if outlet.write((event,)):
        await outlet.drained()


def relayed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return upstream's headers that concern the client.

    What is not ASCII has no one meaning in a header (RFC 9110, section 5.5), and cannot be sent on as it came.
    """
    return {name: value for name, value in headers.items() if name.startswith(RELAYED_HEADERS) and value.isascii()}
