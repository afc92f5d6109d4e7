"""`POST /v1/chat/completions` and `POST /v1/route`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from gateway.api.auth import check_scope
from gateway.api.body import read_chat
from gateway.api.openapi import CHAT_REQUEST, CHAT_RESPONSES, JSON_RESPONSES
from gateway.api.state import access_of, authorised, gateway_of
from gateway.api.stream import EventStream, unless_left
from gateway.asking import ask_of
from gateway.errors import RequestError
from gateway.explanation import explain, explain_refusal
from gateway.feedback.heard import listen
from gateway.pipeline import arrive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.callers import Access
    from gateway.deciding import Ask
    from gateway.feedback.heard import Heard
    from gateway.runtime import Runtime

router = APIRouter()

#: The caller's headers that go on to the endpoint (W3C Trace Context, which is ASCII).
PASSED_ON = ("traceparent", "tracestate")
#: Asks for the trace of the decision, which comes as `x-pointsman-trace` to callers who may see it.
DEBUG = "x-pointsman-debug"
#: Says why feedback that came along was not taken.
REFUSED = "x-pointsman-feedback-refused"
#: Characters of a header that every common client takes.
MAX_HEADER = 8000


@router.post(
    "/chat/completions",
    response_class=Response,
    responses=CHAT_RESPONSES,
    openapi_extra=CHAT_REQUEST,
    dependencies=[authorised],
)
async def create_chat_completion(request: Request) -> Response:
    """Answer a conversation: by the policy named as `model`, or by the model of that name."""
    gateway = gateway_of(request)
    shown = {name: request.headers.get(name, "") for name in PASSED_ON}
    passed_on = {name: value for name, value in shown.items() if value and value.isascii()}
    arrival = arrive(request.state.request_id, passed_on, request.headers.get("authorization"))
    with ExitStack() as stack:
        runtime = stack.enter_context(gateway.runtime.in_use())
        access = access_of(request)
        ask, heard = await read_ask(request, runtime, access, arrival.at)
        rater = gateway.intake.rules.rater(access, open_=runtime.callers.open)
        refused = [reason for one in heard if (reason := gateway.intake.overhear(one, rater, arrival.at))]
        exchange = await unless_left(request.receive, gateway.pipeline.complete(runtime, ask, arrival))
        traced = access.debug and request.headers.get(DEBUG, "").lower() in ("1", "true")
        more = {"x-pointsman-trace": trace_header(exchange.trace)} if traced else {}
        more |= {REFUSED: "; ".join(refused)} if refused else {}
        more |= gateway.intake.rules.proof(exchange.decision_id, access.identity)
        if not exchange.streams:
            return Response(await exchange.whole(), headers=exchange.headers | more, media_type="application/json")
        return EventStream(exchange.events(), exchange.headers | more, on_close=stack.pop_all().close)


@router.post("/route", responses=JSON_RESPONSES, openapi_extra=CHAT_REQUEST, dependencies=[authorised])
async def route(request: Request) -> dict[str, Any]:
    """Decide who would answer, and explain it. Nothing is sent, and nothing is logged."""
    gateway = gateway_of(request)
    with gateway.runtime.in_use() as runtime:
        access = access_of(request)
        ask, _ = await read_ask(request, runtime, access, datetime.now(UTC))
        try:
            return explain(await gateway.pipeline.route(runtime, ask), trace=access.debug)
        except RequestError as error:
            if error.trace is None:
                raise
            return explain_refusal(error, error.trace, traced=access.debug)


async def read_ask(request: Request, runtime: Runtime, access: Access, at: datetime) -> tuple[Ask, tuple[Heard, ...]]:
    """Return a request as decisions are made of it, and the feedback that came along. Raises `RequestError`."""
    sent = await read_chat(request, runtime.config.server)
    check_scope(access, sent.model, runtime.decider)
    # A header that comes twice is one whose values are joined (RFC 9110, section 5.3): no part of it may be lost.
    headers = {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
    sent, heard = listen(sent, headers)
    return ask_of(sent, headers, access, at, runtime.decider), heard


def trace_header(trace: Mapping[str, Any]) -> str:
    """Return the trace of a decision as JSON in ASCII; what would be too long for a header is in the log only."""
    text = json.dumps(trace, separators=(",", ":"))
    if len(text) <= MAX_HEADER:
        return text
    short = {**trace, "rules": [], "signals": {}, "cut": "the log has the whole trace"}
    text = json.dumps(short, separators=(",", ":"))
    return text if len(text) <= MAX_HEADER else json.dumps({"cut": short["cut"]})
