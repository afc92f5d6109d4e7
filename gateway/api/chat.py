"""`POST /v1/chat/completions` and `POST /v1/route`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from gateway.api.body import read_body
from gateway.api.completions import Completions, ask_and_heard
from gateway.api.heads import headers_of
from gateway.api.openapi import CHAT_REQUEST, CHAT_RESPONSES, JSON_RESPONSES
from gateway.api.state import access_of, authorised, gateway_of
from gateway.errors import RequestError
from gateway.explanation import explain, explain_refusal

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.application import Gateway

router = APIRouter()


class Completed(Response):
    """What the endpoint itself sends."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._endpoint = Completions(gateway)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request answered, by what it is called with: what wraps `send` is to see all that is sent."""
        await self._endpoint({**scope, "extensions": None}, receive, send)


@router.post("/chat/completions", response_class=Response, responses=CHAT_RESPONSES, openapi_extra=CHAT_REQUEST)
async def create_chat_completion(request: Request) -> Response:
    """Answer a conversation: by the policy named as `model`, or by the model of that name."""
    return Completed(gateway_of(request))


@router.post("/route", responses=JSON_RESPONSES, openapi_extra=CHAT_REQUEST, dependencies=[authorised])
async def route(request: Request) -> dict[str, Any]:
    """Decide who would answer, and explain it. Nothing is sent, and nothing is logged."""
    gateway = gateway_of(request)
    with gateway.runtime.in_use() as runtime:
        access, at = access_of(request), datetime.now(UTC)
        body = await read_body(request.receive, runtime.config.server)
        ask, _ = ask_and_heard(body, headers_of(request.scope), access, at, runtime)
        try:
            return explain(await gateway.pipeline.route(runtime, ask), trace=access.debug)
        except RequestError as error:
            if error.trace is None:
                raise
            return explain_refusal(error, error.trace, traced=access.debug)
