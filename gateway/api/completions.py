"""`POST /v1/chat/completions`, straight on ASGI.

A request that goes through the framework's routes, middlewares and dependencies has cost a third of a millisecond of
the processor before anything is known of it; the rest of the API, which is asked seldom, is the framework's.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from gateway.api.auth import admit, check_scope
from gateway.api.body import body_at_hand, parsed_chat, read_body
from gateway.api.defects import crashed, told
from gateway.api.heads import headers_of, lines_of, raw_headers, request_id_of
from gateway.api.leaving import Watch
from gateway.api.stream import EventOutlet
from gateway.api.wire import wire_of
from gateway.asking import ask_of
from gateway.client import Client, ClientLeft
from gateway.entropy import Entropy
from gateway.errors import GatewayError, error_body, error_event
from gateway.feedback.heard import listen
from gateway.pipeline import arrive
from gateway.store.base import StoreError
from gateway.turn import turn

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from datetime import datetime

    from starlette.types import Receive, Scope, Send

    from gateway.application import Gateway
    from gateway.callers import Access
    from gateway.deciding import Ask
    from gateway.feedback.heard import Heard
    from gateway.runtime import Runtime

#: The caller's headers that go on to the endpoint (W3C Trace Context, which is ASCII).
PASSED_ON: Final = ("traceparent", "tracestate")
#: Asks for the trace of the decision, which comes as `x-pointsman-trace` to callers who may see it.
DEBUG: Final = "x-pointsman-debug"
#: Says why feedback that came along was not taken.
REFUSED: Final = "x-pointsman-feedback-refused"
#: What those are told whose answers take longer than a gateway that stops has time for, and the code of that.
STOPPED: Final = "The gateway stopped before the answer was complete. Try again."
STOPPED_CODE: Final = "gateway_stopped"
#: Characters of a header that every common client takes.
MAX_HEADER: Final = 8000


class Completions:
    """Answers conversations: by the policy named as `model`, or by the model of that name."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._rng = Entropy()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Answer a request, whatever comes of it."""
        return Completion(self._gateway, request_id_of(scope, self._rng), scope, receive, send).run()


class Completion:
    """One request, from its head to the last byte of its answer."""

    __slots__ = ("_client", "_gateway", "_id", "_leaving", "_receive", "_scope", "_send", "_wire")

    def __init__(self, gateway: Gateway, request_id: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._id = request_id
        self._scope = scope
        self._receive = receive
        self._send = send
        self._client = Client()
        wire = wire_of(scope)
        self._leaving = None if wire is None else wire.leaving
        self._wire = wire if wire is not None and wire.is_behind(send) else None

    async def run(self) -> None:
        """Answer it; to a client that has left nothing is said."""
        with self._gateway.runtime.in_use() as runtime:
            try:
                await self._answer(runtime)
            except asyncio.CancelledError:
                if not self._client.left:
                    if self._client.begun or self._wire is None:
                        raise  # only who cancelled the task knows why, unless the server is our own
                    await self._whole(503, error_body(503, STOPPED, STOPPED_CODE), {})
            except ClientLeft:
                return
            except Exception as error:
                if self._client.begun:
                    raise  # it can only be broken off
                await self._refuse(error)

    async def _refuse(self, error: Exception) -> None:
        """Send what an error comes to."""
        if isinstance(error, GatewayError | StoreError):
            await self._whole(*told(error))
        else:
            await self._whole(*crashed(error, self._id.decode()))

    async def _answer(self, runtime: Runtime) -> None:
        headers, gateway = headers_of(self._scope), self._gateway
        arrival = arrive(self._id.decode(), passed_on(headers), headers.get("authorization"), self._client)
        access = await admit(headers, runtime.callers, arrival.at, gateway.metrics)
        sent = body_at_hand(self._wire, runtime.config.server)
        if sent is None:
            sent = await read_body(self._receive, runtime.config.server)
        await turn()
        ask, heard = ask_and_heard(sent, headers, access, arrival.at, runtime)
        refused = self._overhear(heard, access, runtime, arrival.at) if heard else ""
        with Watch(self._leaving, self._receive, self._client):
            await turn()
            exchange = await gateway.pipeline.complete(runtime, ask, arrival)
        more = {REFUSED: refused} if refused else {}
        if access.debug and headers.get(DEBUG, "").lower() in ("1", "true"):
            more["x-pointsman-trace"] = trace_header(exchange.trace)
        more |= gateway.intake.rules.proof(exchange.decision_id, access.identity)
        if exchange.streams:
            shown = {**exchange.headers, **more, "x-request-id": self._id.decode()}
            outlet = EventOutlet(shown, self._send, self._wire, self._client)
            try:
                with Watch(self._leaving, self._receive, self._client):
                    await exchange.relay(outlet)
                    await outlet.end()
            except asyncio.CancelledError:
                if self._client.left or not self._client.begun or self._wire is None:
                    raise
                self._wire.break_off(error_event(STOPPED, STOPPED_CODE))
            return
        body = await exchange.whole()
        await self._whole(200, body, {**exchange.headers, **more})

    def _overhear(self, heard: Sequence[Heard], access: Access, runtime: Runtime, at: datetime) -> str:
        """Take the feedback that came along; return why not, where it is not taken."""
        intake = self._gateway.intake
        rater = intake.rules.rater(access, open_=runtime.callers.open)
        return "; ".join(reason for one in heard if (reason := intake.overhear(one, rater, at)))

    async def _whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer in one piece."""
        headers = {
            "content-length": str(len(body)),
            "content-type": "application/json",
            **headers,
            "x-request-id": self._id.decode(),
        }
        if self._wire is not None and (lines := lines_of(headers)) is not None:
            self._client.begun = True
            if self._wire.answer(status, lines, body):
                return
        pairs = raw_headers(headers)
        self._client.begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})
        await self._send({"type": "http.response.body", "body": body})


def ask_and_heard(
    body: bytes, headers: Mapping[str, str], access: Access, at: datetime, runtime: Runtime
) -> tuple[Ask, tuple[Heard, ...]]:
    """Return a request as decisions are made of it, and the feedback that came along. Raises `RequestError`."""
    sent = parsed_chat(body)
    check_scope(access, sent.model, runtime.decider)
    sent, heard = listen(sent, headers)
    return ask_of(sent, headers, access, at, runtime.decider), heard


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that go on to the endpoint."""
    return {name: value for name in PASSED_ON if (value := headers.get(name)) and value.isascii()}


def trace_header(trace: Mapping[str, Any]) -> str:
    """Return the trace of a decision as JSON in ASCII; what would be too long for a header is in the log only."""
    text = json.dumps(trace, separators=(",", ":"))
    if len(text) <= MAX_HEADER:
        return text
    short = {**trace, "rules": [], "signals": {}, "cut": "the log has the whole trace"}
    text = json.dumps(short, separators=(",", ":"))
    return text if len(text) <= MAX_HEADER else json.dumps({"cut": short["cut"]})
