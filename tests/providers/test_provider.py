from __future__ import annotations

from typing import Any

import httpx2
import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.errors import ConnectFailed
from providers.provider import Provider
from providers.types import Target, Timeouts

CHAT = parse_chat(b'{"model": "auto", "messages": [{"role": "user", "content": "hi"}]}')


async def send(handler) -> None:
    """Send a request to an endpoint that is played by a function."""
    transport = httpx2.MockTransport(handler)
    provider = Provider("up", base_url="http://up/v1", headers={}, adapter=OpenAIAdapter(), transport=transport)
    await provider.send(CHAT, Target("m"), Timeouts(), {})


async def test_a_connection_lost_as_soon_as_it_is_made_is_a_failed_one():
    """Its socket is gone, and asking for the peer fails; another candidate can still answer."""

    def lost(_: httpx2.Request) -> httpx2.Response:
        socket: Any = None
        return socket.getpeername()

    with pytest.raises(ConnectFailed):
        await send(lost)


async def test_a_defect_is_not_taken_for_a_failed_connection():
    """Only that one question to a lost socket is."""

    def defect(_: httpx2.Request) -> httpx2.Response:
        nothing: Any = None
        return nothing.answer()

    with pytest.raises(AttributeError):
        await send(defect)
