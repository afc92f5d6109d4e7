"""Turns a chat completion request, with its headers and its caller, into what decisions are made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gateway.api.body import check_chat, parsed_chat
from gateway.api.options import read_options
from gateway.deciding import Ask
from gateway.errors import RequestError
from gateway.priority import rank
from gateway.quotas.own import own_quotas
from gateway.quotas.types import Holder
from gateway.signals.base import Request
from gateway.signals.metadata import tags_of, user_of
from gateway.signals.request import Prompt
from providers.chat import edited

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.callers import Access
    from gateway.deciding import Decider
    from gateway.exploration.rules import Because
    from providers.types import ChatRequest

#: The caller's headers that no signal sees.
SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"})


def chat_of(body: Mapping[str, Any]) -> ChatRequest:
    """Return a body as a chat completion request. Raises `RequestError` where it is none."""
    try:
        written = json.dumps(body)
    except TypeError as error:
        raise RequestError(f"We could not parse the request: {error}.", code="invalid_json") from error
    return parsed_chat(written.encode())


def checked(chat: ChatRequest) -> ChatRequest:
    """Return a request in which all is that deciding relies on. Raises `RequestError`."""
    check_chat(chat.body)
    return chat


def ask_of(sent: ChatRequest, headers: Mapping[str, str], access: Access, at: datetime, decider: Decider) -> Ask:
    """Return a request as decisions are made of it; names of headers are in lower case.

    Raises `RequestError` for options that cannot be respected.
    """
    chat, asked = read_options(sent, headers, decider)
    shown = {name: value for name, value in headers.items() if name not in SECRET_HEADERS}
    prompt = Prompt(chat.body)
    request = Request(chat.body, prompt.user_text, at, shown, access.caller, prompt)
    if asked.include_cost and chat.stream:
        # The cost is told in the usage, so the usage is wanted.
        options = {**(chat.body.get("stream_options") or {}), "include_usage": True}
        chat = edited(chat, {"stream_options": options}, ())
    unexplored: Because | None = None if asked.explore else "request"
    return Ask(
        chat,
        request,
        access.constraints.tightened(asked.constraints),
        rank(access.priority, asked.priority),
        include_cost=asked.include_cost,
        holder=_holder(access, request),
        identity=access.identity,
        unexplored=unexplored if access.explores else "caller",
    )


def _holder(access: Access, request: Request) -> Holder:
    """Return on whose account a request goes. Who is not told by the key or the token is whom the request names."""
    return Holder(
        key=access.key,
        user=access.user or user_of(request),
        team=access.caller.team,
        tags=tags_of(request),
        own=(*access.own, *own_quotas(access.quotas)) if access.quotas else access.own,
    )
