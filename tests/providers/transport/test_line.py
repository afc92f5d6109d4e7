"""Lines to an endpoint: by bytes, and by httpx2's types over any transport. What comes of them is the same."""

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.transport import LIMITS
from providers.transport.incoming import TooLarge
from providers.transport.line import DirectLine, HttpxLine, Line, Post, line_to
from providers.transport.origin import origin_of
from providers.transport.transport import Call, Transport
from providers.types import Timeouts
from tests.providers.transport.playing import OK, Reader, Writer, authority, read_request, serving, transport, writing

KEYS = {"a": {"authorization": "Bearer a", "x-both": "fixed"}, "b": {"authorization": "Bearer b"}}
POST = Post(b"{}", "a", {})
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
HELD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"


class Wrapped(httpx2.AsyncBaseTransport):
    """A transport that the gateway knows nothing of."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.handle_async_request = inner.handle_async_request  # type: ignore[method-assign]  # passes all on


@contextlib.asynccontextmanager
async def line(url: str, kind: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    async with transport(tls=tls) as own:
        library = httpx2.AsyncHTTPTransport(limits=LIMITS, trust_env=False, verify=tls or ssl.create_default_context())
        used = {"direct": own, "wrapped": Wrapped(own), "library": library}[kind]
        yield line_to(httpx2.URL(url), lambda key: KEYS[key], used)
        await library.aclose()


both = pytest.mark.parametrize("kind", ["direct", "wrapped", "library"])


@both
async def test_an_answer_comes_whole(kind):
    """Its status, its headers by lower case, its body; and its connection is used again."""
    async with serving(writing(b"HTTP/1.1 201 Made\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 2\r\n\r\nhi")) as server:
        async with line(server.url, kind) as asked:
            for _ in range(3):
                answer = await asked.whole(POST, Timeouts())
                assert (201, "1, 2", b"hi") == (answer.status, answer.headers["x-a"], answer.content)
        assert server.connections == 1


@both
async def test_a_request_goes_out_with_its_key_and_its_own_headers(kind):
    """What is fixed wins; the body comes whole, a large one, too."""
    async with serving(writing(OK)) as server, line(server.url, kind) as asked:
        await asked.whole(Post(b"{}", "a", {"traceparent": "00-1", "x-both": "own"}), Timeouts())
        await asked.whole(Post(b"y" * 300_000, "b", {}), Timeouts())
        first, second = (request.split(b"\r\n\r\n", 1) for request in server.requests)
    assert first[0].startswith(b"POST /v1/x HTTP/1.1\r\n")
    for field in (b"authorization: bearer a", b"traceparent: 00-1", b"x-both: fixed", b"content-length: 2"):
        assert field in first[0].lower().split(b"\r\n")
    assert b"own" not in first[0]
    assert (b"{}", b"y" * 300_000) == (first[1], second[1])
    assert b"authorization: bearer b" in second[0].lower()


@both
async def test_an_answer_is_read_as_it_comes(kind):
    """Its head first, then each piece, and None at the end, as often as one asks."""
    async with serving(writing(CHUNKED, 0.05, b"1\r\na\r\n", 0.05, b"1\r\nb\r\n0\r\n\r\n")) as server:
        async with line(server.url, kind) as asked:
            for _ in range(2):
                answer = await asked.open(POST, Timeouts())
                assert [b"a", b"b", None, None] == [await answer.next() for _ in range(4)]
                await answer.aclose()
        assert server.connections == 1


@both
async def test_an_answer_that_was_begun_is_read_to_its_end(kind):
    """What comes behind the first piece comes in one."""
    async with (
        serving(writing(CHUNKED, 0.03, b"1\r\na\r\n", 0.03, b"1\r\nb\r\n0\r\n\r\n")) as server,
        line(server.url, kind) as asked,
    ):
        answer = await asked.open(POST, Timeouts())
        assert b"ab" == await answer.whole(10)


@both
async def test_what_came_compressed_is_read_all_the_same(kind):
    """Though it was asked not to be."""
    packed = gzip.compress(b"abc" * 100_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    async with serving(writing(head + packed)) as server, line(server.url, kind) as asked:
        assert b"abc" * 100_000 == (await asked.whole(POST, Timeouts())).content
        answer = await asked.open(POST, Timeouts())
        pieces = []
        while (piece := await answer.next()) is not None:
            pieces.append(piece)
        await answer.aclose()
        assert b"abc" * 100_000 == b"".join(pieces)


@both
async def test_what_says_that_it_is_compressed_and_is_not_is_an_error(kind):
    """It is none of an answer that can be read."""
    broken = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nhi"
    async with serving(writing(broken)) as server, line(server.url, kind) as asked:
        with pytest.raises(httpx2.DecodingError):
            await asked.whole(POST, Timeouts())


@both
async def test_more_than_the_reader_takes_is_too_large(kind):
    """And is hung up on."""
    async with (
        serving(writing(CHUNKED, b"64\r\n" + b"a" * 100 + b"\r\n", 30.0)) as server,
        line(server.url, kind) as asked,
    ):
        answer = await asked.open(POST, Timeouts())
        with pytest.raises(TooLarge, match="99"):
            await answer.whole(99)
        await answer.aclose()
        await asyncio.sleep(0.02)


@both
@pytest.mark.parametrize("played", [(30.0,), (HELD, 30.0)])
async def test_an_answer_has_its_time(kind, played):
    """All of it has; over a new connection and over one that is kept."""
    async with serving(writing(*played)) as server, line(server.url, kind) as asked:
        with pytest.raises((TimeoutError, httpx2.TimeoutException)):
            await asked.whole(POST, Timeouts(total_s=0.05))


@both
async def test_pieces_do_not_buy_time(kind):
    """The limit is for the whole answer, however busily it comes."""
    drops = [piece for _ in range(50) for piece in (b"1\r\na\r\n", 0.01)]
    async with serving(writing(CHUNKED, *drops)) as server, line(server.url, kind) as asked:
        for _ in range(2):
            with pytest.raises((TimeoutError, httpx2.TimeoutException)):
                await asked.whole(POST, Timeouts(total_s=0.1))


@both
@pytest.mark.parametrize("sent", [b"", HELD, b"SSH-2.0-OpenSSH\r\n"])
async def test_a_broken_answer_is_no_answer(kind, sent):
    """Over a new connection."""
    async with serving(writing(sent, close=True)) as server, line(server.url, kind) as asked:
        with pytest.raises(httpx2.TransportError):
            await asked.whole(POST, Timeouts())


@both
async def test_who_gives_up_frees_the_connection(kind):
    """Cancelled over a new connection, and over one that is kept, nothing stays, and the next answer is its own."""
    turns = iter([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"", OK.replace(b"hi", b"ho"), OK])

    async def play(_: Reader, writer: Writer) -> None:
        writer.write(turn := next(turns))
        await asyncio.sleep(0 if turn else 30)

    async with serving(play) as server, line(server.url, kind) as asked:
        assert b"hi" == (await asked.whole(POST, Timeouts())).content
        task = asyncio.create_task(asked.whole(POST, Timeouts()))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert b"ho" == (await asked.whole(POST, Timeouts())).content
        assert server.connections == 2


@both
async def test_a_server_that_does_not_read_is_not_waited_for(kind):
    """Sending is part of the time that a request has."""

    async def play(reader: Reader, writer: Writer) -> None:
        del reader, writer
        await asyncio.sleep(30)

    async with serving(play, reads=False) as server, line(server.url, kind) as asked:
        with pytest.raises((TimeoutError, httpx2.TimeoutException)):
            await asked.whole(Post(b"y" * 50_000_000, "a", {}), Timeouts(total_s=0.3))


@both
async def test_requests_over_tls(kind, tmp_path):
    """Several on one connection, small and large."""
    shown, trusted = authority(tmp_path)

    async def play(reader: Reader, writer: Writer) -> None:
        body = (await read_request(reader)).split(b"\r\n\r\n", 1)[1]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    async with serving(play, tls=shown, reads=False) as server, line(server.url, kind, trusted) as asked:
        for size in (2, 40_000, 400_000):
            assert b"z" * size == (await asked.whole(Post(b"z" * size, "a", {}), Timeouts())).content
        assert server.connections == 1


@both
async def test_nothing_breaks_out_of_its_line(kind):
    """A header that holds a line break is not sent."""
    async with serving(writing(OK)) as server, line(server.url, kind) as asked:
        with pytest.raises(httpx2.LocalProtocolError):
            await asked.whole(Post(b"{}", "a", {"traceparent": "a\r\nx: y"}), Timeouts())
        assert not server.requests


@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=8), st.booleans())
async def test_however_an_answer_is_cut_up_it_is_whole(body, cuts, chunked):
    """Whole or in chunks, in whatever pieces the network brings it; and over the same connection again."""
    head = CHUNKED if chunked else b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    coded = b"".join(b"1\r\n%b\r\n" % body[i : i + 1] for i in range(len(body))) + b"0\r\n\r\n"
    sent, pieces = head + (coded if chunked else body), []
    for cut in cuts:
        pieces, sent = [*pieces, sent[:cut], 0.0], sent[cut:]
    async with serving(writing(*pieces, sent)) as server, line(server.url, "direct") as asked:
        for _ in range(2):
            assert body == (await asked.whole(POST, Timeouts())).content
        assert server.connections == 1


async def test_an_answer_without_a_length_ends_with_the_connection():
    """As HTTP/1.0 has it; what hangs up behind a part of an answer with a length has broken it off."""
    async with serving(writing(b"HTTP/1.1 200 OK\r\n\r\nabc", close=True)) as server:
        async with line(server.url, "direct") as asked:
            for _ in range(2):
                assert b"abc" == (await asked.whole(POST, Timeouts())).content
        assert server.connections == 2


async def test_trailers_are_none_of_the_headers():
    """What follows the body comes too late for those who have read the head."""
    async with (
        serving(writing(CHUNKED + b"1\r\na\r\n0\r\nx-late: 1\r\n\r\n")) as server,
        line(server.url, "direct") as asked,
    ):
        assert "x-late" not in (await asked.whole(POST, Timeouts())).headers


def test_a_transport_that_takes_bytes_is_given_them():
    """Any other one is asked by httpx2's types."""
    own = Transport(ssl.create_default_context(), LIMITS)
    for used, kind in ((own, DirectLine), (Wrapped(own), HttpxLine), (httpx2.MockTransport(lambda _: None), HttpxLine)):
        assert kind is type(line_to(httpx2.URL("http://up/v1"), lambda _: {}, used))


async def test_whatever_happens_at_once_every_request_gets_its_own_answer():
    """Under cancellations and small pools, no answer goes to another request."""

    async def echo(reader: Reader, writer: Writer) -> None:
        body = (await read_request(reader)).rsplit(b"\r\n\r\n", 1)[1]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
        await asyncio.sleep(int(body) % 3 / 1000)
        writer.write(body)

    async def one(number: int) -> bool | None:
        post = Post(b"%d" % number, "a", {})
        task = asyncio.create_task(asked.whole(post, Timeouts(total_s=0.001 if number % 7 == 1 else 9)))
        if number % 5 == 0:
            await asyncio.sleep(0.001 * (number % 4))
            task.cancel()
        (came,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(came, asyncio.CancelledError | TimeoutError | httpx2.TimeoutException):
            return None
        return came.content == b"%d" % number

    async with serving(echo, reads=False) as server, transport(most=4) as own:
        asked = line_to(httpx2.URL(server.url), lambda _: {}, own)
        assert {True, None} == set(await asyncio.gather(*[one(number) for number in range(200)]))


async def test_an_exchange_needs_no_more_than_it_is_given():
    """A request as bytes goes out as it is."""
    async with serving(writing(OK)) as server, transport() as own:
        head = b"POST /v1/x HTTP/1.1\r\ncontent-length: 2\r\n\r\n"
        answer = await own.exchange(Call(origin_of(httpx2.URL(server.url)), head, b"{}"), 5, 5, 10)
        assert (b"hi", [head + b"{}"]) == (answer.content, server.requests)
