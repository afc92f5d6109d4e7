from __future__ import annotations

import gzip
import logging
from typing import Any

import httpx2
import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.errors import AnswerBroken, ConnectFailed
from providers.provider import Provider
from providers.transport import open_transport
from providers.types import Target, Timeouts
from tests.wire import head, playing

CHAT = parse_chat(b'{"model": "auto", "messages": [{"role": "user", "content": "hi"}]}')
STREAMED = parse_chat(b'{"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hi"}]}')
ANSWER = b'{"choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}]}'


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


class Defective(OpenAIAdapter):
    """A dialect whose reader fails in a way that nobody thought of."""

    def decode(self, body: bytes) -> Any:
        """Fail."""
        raise LookupError(len(body))


async def test_a_reader_that_fails_is_a_broken_answer(caplog):
    """Another candidate can still answer; the trace of what nobody expected is in the log."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=b"{}"))
    provider = Provider("up", base_url="http://up/v1", headers={}, adapter=Defective(), transport=transport)

    with caplog.at_level(logging.ERROR), pytest.raises(AnswerBroken, match="up sent an answer that cannot be read"):
        await provider.send(CHAT, Target("m"), Timeouts(), {})

    (record,) = caplog.records
    assert ("provider.undecodable", "up", LookupError) == (record.getMessage(), record.provider, record.exc_info[0])


@pytest.mark.parametrize("host", ["foo..bar", "a" * 70 + ".example"])
async def test_a_host_that_can_be_no_name_is_not_reached(host):
    """Nobody has to look it up to see that."""
    async with open_transport() as transport:
        provider = Provider(
            "up", base_url=f"http://{host}/v1", headers={}, adapter=OpenAIAdapter(), transport=transport
        )
        with pytest.raises(ConnectFailed):
            await provider.send(CHAT, Target("m"), Timeouts(), {})


@pytest.mark.parametrize("stream", [False, True])
async def test_a_compressed_answer_may_have_header_fields_beyond_ascii(stream):
    """They are bytes; nobody has to read them."""
    packed = gzip.compress(ANSWER)
    start = head("application/json", "content-encoding: gzip", f"content-length: {len(packed)}", "x-region: Z*rich")
    start = start.replace(b"*", b"\xfc")
    with playing({"m": [start + packed]}) as wire:
        async with open_transport() as transport:
            provider = Provider("up", base_url=wire.url, headers={}, adapter=OpenAIAdapter(), transport=transport)
            reply = await provider.send(STREAMED if stream else CHAT, Target("m"), Timeouts(), {})
            assert "Z\u00fcrich" == reply.headers["x-region"]
