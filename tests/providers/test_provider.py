from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from typing import Any

import httpx2
import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat
from providers.errors import AnswerBroken, ConnectFailed, RateLimited, UpstreamRejected
from providers.provider import Provider
from providers.transport import open_transport
from providers.types import Target, Timeouts
from tests.providers.transport.playing import serving
from tests.wire import RESET, Step, head, playing

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


LIMITED = b"HTTP/1.1 429 X\r\ncontent-type: application/json\r\nretry-after: 30\r\ncontent-length: 1000\r\n"
#: Errors whose bodies do not come well.
HALF_SAID: dict[str, list[Step]] = {
    "silent": [LIMITED + b"\r\n{", 30.0],
    "silent-later": [0.05, LIMITED + b"\r\n", 0.05, b"{", 30.0],
    "cut": [LIMITED + b"\r\n{", 0.02],
    "reset": [LIMITED + b"\r\n{", 0.02, RESET],
    "mislabelled": [LIMITED.replace(b"1000", b"2") + b"content-encoding: gzip\r\n\r\n{}"],
    "mislabelled-silent": [LIMITED + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:12], 30.0],
}


@pytest.fixture(params=["own", "other"])
async def any_transport(request):
    """Return the gateway's own transport, and any other."""
    async with open_transport() if request.param == "own" else httpx2.AsyncHTTPTransport(trust_env=False) as made:
        yield made


@pytest.mark.parametrize("chat", [CHAT, STREAMED], ids=["whole", "stream"])
async def test_an_error_is_what_its_head_says(any_transport, chat):
    """However its body comes, what to do is told at once, or a second later, and the connection is given up."""

    async def refused(wire, script):
        made = Provider("up", base_url=wire.url, headers={}, adapter=OpenAIAdapter(), transport=any_transport)
        began = time.monotonic()
        with pytest.raises(RateLimited) as caught:
            await made.send(chat, Target(script), Timeouts(total_s=10.0), {})
        assert (30.0, 429) == (caught.value.retry_after_s, caught.value.status)
        assert time.monotonic() - began < 3.0

    with playing(HALF_SAID) as wire:
        await asyncio.gather(*(refused(wire, script) for script in HALF_SAID))
        assert dict.fromkeys(HALF_SAID, 1) == dict(wire.calls)


async def test_a_refusal_that_is_cut_is_the_requests_fault(any_transport):
    """Nobody is asked the same again."""
    with playing({"m": [LIMITED.replace(b"429", b"400") + b"\r\n{"]}) as wire:
        made = Provider("up", base_url=wire.url, headers={}, adapter=OpenAIAdapter(), transport=any_transport)
        with pytest.raises(UpstreamRejected):
            await made.send(CHAT, Target("m"), Timeouts(), {})


async def test_the_next_request_does_not_get_the_rest_of_an_error():
    """A connection on which a body is still to come is given up, also one that was kept."""
    answers = [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(ANSWER) + ANSWER, LIMITED + b"\r\n{"]

    async def play(_reader, writer):
        writer.write(answers[(len(server.requests) - 1) % 2])
        await writer.drain()

    async with serving(play) as server, open_transport() as transport:
        made = Provider("up", base_url=server.url, headers={}, adapter=OpenAIAdapter(), transport=transport)
        await made.send(CHAT, Target("m"), Timeouts(), {})
        with pytest.raises(RateLimited):
            await made.send(CHAT, Target("m"), Timeouts(), {})
        await made.send(CHAT, Target("m"), Timeouts(), {})
        assert 2 == server.connections


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_that_comes_while_the_request_is_sent_is_heard(stream):
    """It is known before the endpoint has read all, which it may never do."""
    content = {"model": "auto", "stream": stream, "messages": [{"role": "user", "content": "x" * 50_000_000}]}
    chat = parse_chat(json.dumps(content).encode())

    async def play(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(LIMITED.replace(b"1000", b"2") + b"\r\n{}")
        await asyncio.sleep(30)

    async with serving(play, reads=False) as server, open_transport() as transport:
        made = Provider("up", base_url=server.url, headers={}, adapter=OpenAIAdapter(), transport=transport)
        with pytest.raises(RateLimited) as caught:
            await made.send(chat, Target("m"), Timeouts(total_s=8.0), {})
        assert 30.0 == caught.value.retry_after_s
