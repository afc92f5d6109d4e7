"""Reads request bodies, and checks what the gateway itself needs of them. All else is upstream's to judge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from gateway.errors import BodyTimeout, BodyTooLarge, RequestError
from providers.chat import InvalidBody, parse_chat

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.config.models import ServerConfig
    from providers.types import ChatRequest

#: How much of a body that is too large is still taken in, so that its sender gets to read the answer
#: instead of losing the connection while it writes.
LINGERING_BYTES = 256 * 1024 * 1024


async def read_body(request: Request, server: ServerConfig) -> bytes:
    """Return the body.

    Raises `BodyTooLarge` beyond the limit, of which no more is ever held, and `BodyTimeout` where it stops coming.
    """
    limit = server.max_body_bytes
    pieces: list[bytes] = []
    size = 0
    async for piece in _pieces(request, server.body_timeout_s):
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
        else:
            pieces.clear()
        if size > LINGERING_BYTES:
            break
    if size > limit:
        raise BodyTooLarge(f"The request body is larger than {limit} bytes, the most that is accepted.")
    return b"".join(pieces)


async def _pieces(request: Request, timeout_s: float) -> AsyncIterator[bytes]:
    """Yield the body as it comes; each piece has `timeout_s`."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise BodyTimeout(f"The request body stopped coming for {timeout_s:g} s.") from error
        yield piece


async def read_chat(request: Request, server: ServerConfig) -> ChatRequest:
    """Return the body as a chat completion request. Raises `RequestError`."""
    try:
        chat = parse_chat(await read_body(request, server))
    except InvalidBody as error:
        raise RequestError(f"We could not parse the request: {error}.", code="invalid_json") from error
    check_chat(chat.body)
    return chat


def check_chat(body: Mapping[str, Any]) -> None:
    """Check the fields that routing and relaying rely on. Raises `RequestError` naming the field."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _wrong("model", "a text: the name of a policy or of a model", "model" in body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _wrong("messages", "a list of at least one message", "messages" in body)
    for n, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise _wrong(f"messages[{n}]", "an object", present=True)
    if not isinstance(body.get("stream"), bool | None):
        raise _wrong("stream", "true or false", present=True)
    if not isinstance(body.get("stream_options"), Mapping | None):
        raise _wrong("stream_options", "an object", present=True)


def _wrong(param: str, expected: str, present: bool) -> RequestError:  # noqa: FBT001 - private, and named at each call
    problem = "must be" if present else "is required:"
    code = "invalid_type" if present else "missing_required_parameter"
    return RequestError(f"{param!r} {problem} {expected}.", param=param, code=code)
