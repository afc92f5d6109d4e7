from __future__ import annotations

import asyncio
import time

import httpx2
import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.adapters.openai_stream import OpenAIStreamDecoder
from providers.chat import parse_chat
from providers.errors import AnswerBroken, ProviderTimeout, UpstreamRejected
from providers.provider import Provider
from providers.transport import open_transport
from providers.types import Target, Timeouts
from tests.upstream import chunk
from tests.wire import FOREVER, RESET, chunked, head, playing

CHAT = parse_chat(b'{"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hi"}]}')
DONE = b"data: [DONE]\n\n"
A, B, STOP = chunk("m", {"content": "a"}), chunk("m", {"content": "b"}), chunk("m", {}, "stop")
BROKEN = b"data: {broken\n\n"

SCRIPTS = {
    "by-and-by": [head() + A, 0.1, B, 0.1, STOP + DONE],
    "at-once": [head() + A, 0.1, B + B + STOP + DONE],
    "broken-at-once": [head() + A, 0.1, B + B + BROKEN + B],
    "cut": [head() + A, 0.1, B, 0.1, RESET],
    "slow": [head() + A, 0.25, B, 0.25, B, 0.25, B, 5.0],
    "slow-fine": [head() + A, 0.25, B, 0.25, B, 0.25, STOP + DONE],
    "no-end": [head() + A, B, 0.05, FOREVER],
    "silent": [head() + chunk("m", {"role": "assistant"}), 5.0],
    "flood": [head() + A, 0.02, B * 100, FOREVER],
    "odd-error": [head() + A, 0.02, b'data: {"error": {"status": 400, "code": {"a": 1}, "type": [1]}}\n\n'],
    "complete": chunked(A, STOP, DONE),
}

#: The gateway's own transport, and any other.
TRANSPORTS = {"own": open_transport, "other": lambda: httpx2.AsyncHTTPTransport(trust_env=False)}


@pytest.fixture(scope="module")
def endpoint():
    """Play all scripts."""
    with playing(SCRIPTS) as wire:
        yield wire


@pytest.fixture(params=TRANSPORTS)
async def transport(request):
    """Return each kind of transport."""
    async with TRANSPORTS[request.param]() as transport:
        yield transport


async def begun(transport, endpoint, name, **timeouts):
    """Return the stream that a script begins."""
    provider = Provider("up", base_url=endpoint.url, headers={}, adapter=OpenAIAdapter(), transport=transport)
    return await provider.send(CHAT, Target(name), Timeouts(**timeouts), {})


async def heard(reply, pause_s=0.0):
    """Return the events, as they came together, and the error that ended them."""
    found = []
    try:
        held = True
        while held:
            held = await reply.pour(lambda events: found.append(list(events)) or pause_s > 0)
            await asyncio.sleep(pause_s if held else 0)
    except (AnswerBroken, ProviderTimeout) as error:
        return found, error
    finally:
        await reply.aclose()
    return found, None


async def test_events_are_told_as_they_come(transport, endpoint):
    """One by one where they come one by one, together where they come at once."""
    assert ([[A], [B], [STOP, DONE]], None) == await heard(await begun(transport, endpoint, "by-and-by"))
    assert ([[A], [B, B, STOP, DONE]], None) == await heard(await begun(transport, endpoint, "at-once"))


async def test_what_was_good_comes_before_what_is_broken(transport, endpoint):
    """Also of what came at once, and nothing after it."""
    found, error = await heard(await begun(transport, endpoint, "broken-at-once"))

    assert ([[A], [B, B]], AnswerBroken) == (found, type(error))


async def test_an_error_in_band_may_hold_anything(transport, endpoint):
    """Its code may be an object: it is told as any other."""
    reply = await begun(transport, endpoint, "odd-error")
    found: list[bytes] = []
    with pytest.raises(UpstreamRejected):
        await reply.pour(lambda events: found.extend(events) or False)
    await reply.aclose()

    assert [A] == found


class Defective(OpenAIStreamDecoder):
    """A decoder that fails, in a way that nobody thought of, at a word."""

    def __init__(self, word):
        super().__init__(withhold_usage=False, choices=1)
        self.word = word

    def feed(self, data):
        """Fail at the word."""
        if self.word in data:
            raise LookupError(self.word)
        return super().feed(data)


class Dialect(OpenAIAdapter):
    """A dialect whose streams are read so."""

    def __init__(self, word):
        super().__init__()
        self.word = word

    def stream_decoder(self, _chat):
        """Return a decoder that fails at the word."""
        return Defective(self.word)


async def test_a_decoder_that_fails_breaks_the_answer(transport, endpoint, caplog):
    """Before its beginning others can be asked, later it ends as a broken one does; the log has the trace."""

    async def opened(word):
        made = Provider("up", base_url=endpoint.url, headers={}, adapter=Dialect(word), transport=transport)
        return await made.send(CHAT, Target("by-and-by"), Timeouts(), {})

    with pytest.raises(AnswerBroken, match="LookupError"):
        await opened(b'"a"')
    found, error = await heard(await opened(b'"b"'))

    assert ([[A]], AnswerBroken) == (found, type(error))
    assert ["provider.undecodable"] * 2 == [one.getMessage() for one in caplog.records if one.exc_info]


async def test_a_stream_that_is_cut_is_broken(transport, endpoint):
    """However the connection ends, what had come is told."""
    found, error = await heard(await begun(transport, endpoint, "cut"))

    assert ([[A], [B]], AnswerBroken) == (found, type(error))
    assert "up broke the stream off" in str(error)


async def test_silence_ends_a_stream(transport, endpoint):
    """Each piece may take as long as that, and only the time without one counts."""
    began = time.monotonic()
    found, error = await heard(await begun(transport, endpoint, "slow", gap_s=0.5))

    assert ([[A], [B], [B], [B]], ProviderTimeout) == (found, type(error))
    assert "up sent nothing more within 0.5 s" == str(error)
    assert 1.2 <= time.monotonic() - began < 4.0


async def test_a_choice_without_words_is_followed_in_time(transport, endpoint):
    """Once a choice has come silence is a stall, also before it says anything."""
    with pytest.raises(ProviderTimeout, match=r"nothing more within 0\.3 s"):
        await begun(transport, endpoint, "silent", gap_s=0.3)


async def test_a_slow_reader_is_no_silence(transport, endpoint):
    """The endpoint is not blamed for the time that its reader takes."""
    found, error = await heard(await begun(transport, endpoint, "slow-fine", gap_s=0.4), pause_s=0.6)

    assert (A + B + B + STOP + DONE, None) == (b"".join(map(b"".join, found)), error)


async def test_a_stream_ends_at_its_deadline(transport, endpoint):
    """However much comes."""
    began = time.monotonic()
    found, error = await heard(await begun(transport, endpoint, "no-end", total_s=0.5))

    assert isinstance(error, ProviderTimeout)
    assert len(found) > 1
    assert time.monotonic() - began < 4.0


async def test_a_stream_is_bounded(transport, endpoint):
    """What an endpoint sends without end is broken off."""
    _, error = await heard(await begun(transport, endpoint, "flood", stream_bytes=100_000))

    assert "up sent a stream of more than 100000 bytes" == str(error)


async def test_a_cancelled_reader_is_cancelled(transport, endpoint):
    """Who waits for a piece is not told that time ran out when somebody stopped him."""
    reply = await begun(transport, endpoint, "slow", gap_s=5.0)
    reader = asyncio.ensure_future(heard(reply))
    await asyncio.sleep(0.1)
    reader.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reader
