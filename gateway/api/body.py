"""Reads request bodies, and checks what the gateway itself needs of them. All else is upstream's to judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gateway.client import ClientLeft
from gateway.errors import BodyTimeout, BodyTooLarge, RequestError
from providers.chat import InvalidBody, parse_chat
from providers.time_limit import TimeLimit

if TYPE_CHECKING:
    from starlette.types import Receive

    from gateway.api.wire import Wire
    from gateway.config.models import ServerConfig
    from providers.types import ChatRequest

#: How much of a body that is too large is still taken in, so that its sender gets to read the answer
#: instead of losing the connection while it writes.
LINGERING_BYTES = 256 * 1024 * 1024
#: What `stream` may be.
_SWITCH: Final = (bool, type(None))


def body_at_hand(wire: Wire | None, server: ServerConfig) -> bytes | None:
    """Return the body where all of it has come with the head, and the server says so; else None, and it has to be read.

    Raises `BodyTooLarge`.
    """
    body = None if wire is None else wire.body()
    if body is not None and len(body) > server.max_body_bytes:
        raise _too_large(server)
    return body


async def read_body(receive: Receive, server: ServerConfig) -> bytes:
    """Return the body, of which each piece has its time.

    Raises `BodyTooLarge` beyond the limit, of which no more is ever held, `BodyTimeout` where it stops coming, and
    `ClientLeft`.
    """
    limit, pause_s = server.max_body_bytes, server.body_timeout_s
    pieces: list[bytes] = []
    size, more = 0, True
    try:
        with TimeLimit(pause_s) as pause:
            while more and size <= LINGERING_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                if size > limit:
                    pieces.clear()
                if more := message.get("more_body", False):
                    pause.again()
    except TimeoutError as error:
        raise BodyTimeout(f"The request body stopped coming for {pause_s:g} s.") from error
    if size > limit:
        raise _too_large(server)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parsed_chat(body: bytes) -> ChatRequest:
    """Return a body as a chat completion request. Raises `RequestError`."""
    try:
        chat = parse_chat(body)
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
        if type(message) is not dict and not isinstance(message, Mapping):  # the latter is ten times the work
            raise _wrong(f"messages[{n}]", "an object", present=True)
    if not isinstance(body.get("stream"), _SWITCH):
        raise _wrong("stream", "true or false", present=True)
    if body.get("stream_options") is not None and not isinstance(body["stream_options"], Mapping):
        raise _wrong("stream_options", "an object", present=True)


def _too_large(server: ServerConfig) -> BodyTooLarge:
    return BodyTooLarge(f"The request body is larger than {server.max_body_bytes} bytes, the most that is accepted.")


def _wrong(param: str, expected: str, present: bool) -> RequestError:  # noqa: FBT001 - private, and named at each call
    problem = "must be" if present else "is required:"
    code = "invalid_type" if present else "missing_required_parameter"
    return RequestError(f"{param!r} {problem} {expected}.", param=param, code=code)
