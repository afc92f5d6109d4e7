"""`POST /v1/chat/completions` and `POST /v1/route`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request, Response

from gateway.api.body import read_chat
from gateway.api.openapi import CHAT_REQUEST, CHAT_RESPONSES, JSON_RESPONSES
from gateway.api.state import authorised, gateway_of
from gateway.api.stream import EventStream, unless_left
from gateway.pipeline import Routed, arrive

router = APIRouter()

#: The caller's headers that go on to the endpoint (W3C Trace Context, which is ASCII).
PASSED_ON = ("traceparent", "tracestate")


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
    arrival = arrive(request.state.request_id, passed_on)
    with ExitStack() as stack:
        runtime = stack.enter_context(gateway.runtime.in_use())
        chat = await read_chat(request, runtime.config.server)
        exchange = await unless_left(request.receive, gateway.pipeline.complete(runtime, chat, arrival))
        if not exchange.streams:
            return Response(await exchange.whole(), headers=exchange.headers, media_type="application/json")
        return EventStream(exchange.events(), exchange.headers, on_close=stack.pop_all().close)


@router.post("/route", responses=JSON_RESPONSES, openapi_extra=CHAT_REQUEST, dependencies=[authorised])
async def route(request: Request) -> dict[str, Any]:
    """Decide who would answer, and explain it. Nothing is sent, and nothing is logged."""
    gateway = gateway_of(request)
    with gateway.runtime.in_use() as runtime:
        chat = await read_chat(request, runtime.config.server)
        return explain(await gateway.pipeline.route(runtime, chat))


def explain(routed: Routed) -> dict[str, Any]:
    """Return a decision and what it was made from, for people to read."""
    call = routed.call
    return {
        "object": "routing.decision",
        "policy": routed.policy.name,
        "policy_digest": routed.policy.digest,
        "model": call.candidates[0].model,
        "why": call.why,
        "signals": {"prompt_tokens": routed.context.prompt_tokens, **routed.context.features},
        "candidates": [
            {
                "model": model,
                "propensity": propensity,
                "reward": {"mean": estimate.mean, "std": estimate.std} if estimate else None,
                "expected_cost_usd": call.expected_cost_usd.get(model),
            }
            for model, propensity in call.propensities.items()
            for estimate in (call.estimates.get(model),)
        ],
        "resting": [c.model for c in routed.policy.pool if c.model not in call.propensities],
    }
