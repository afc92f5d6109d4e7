"""The transport against a server that writes byte for byte what it is told to."""

import asyncio
import socket

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.transport import Transport
from tests.providers.transport.playing import OK, Reader, Writer, authority, read_request, serving, transport, writing


def request(url: str, body: bytes = b"{}", method: str = "POST", **timeouts: float) -> httpx2.Request:
    limits = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0} | timeouts
    return httpx2.Request(method, url, content=body, extensions={"timeout": limits})


async def ask(made: Transport, asked: httpx2.Request) -> tuple[int, bytes]:
    response = await made.handle_async_request(asked)
    body = b"".join([piece async for piece in response.stream])
    await response.aclose()
    return response.status_code, body


async def test_an_answer_comes_with_its_head_and_body():
    """What the server says is what the caller gets."""
    async with serving(writing(OK)) as server, transport() as made:
        response = await made.handle_async_request(request(server.url))
        assert (response.status_code, response.headers["content-length"]) == (200, "2")
        assert await response.aread() == b"hi"
        assert server.requests[0].startswith(b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1")


async def test_a_connection_is_used_again():
    """One connection carries one request after the other."""
    async with serving(writing(OK)) as server, transport() as made:
        assert [await ask(made, request(server.url)) for _ in range(3)] == [(200, b"hi")] * 3
        assert server.connections == 1


async def test_no_connection_is_shared():
    """Requests at once have connections of their own."""
    async with serving(writing(0.02, OK)) as server, transport() as made:
        assert await asyncio.gather(*[ask(made, request(server.url)) for _ in range(5)]) == [(200, b"hi")] * 5
        assert server.connections == 5


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=12), st.booleans())
async def test_however_an_answer_is_cut_up_it_is_the_same(body, cuts, chunked):
    """Whole or in chunks, in whatever pieces the network brings it, the body is the body."""
    if chunked:
        coded = b"".join(b"%x\r\n%b\r\n" % (1, body[i : i + 1]) for i in range(len(body))) + b"0\r\n\r\n"
        sent = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + coded
    else:
        sent = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    pieces = []
    for cut in cuts:
        pieces, sent = [*pieces, sent[:cut], 0.0], sent[cut:]
    async with serving(writing(*pieces, sent)) as server, transport() as made:
        assert await ask(made, request(server.url)) == (200, body)
        assert await ask(made, request(server.url)) == (200, body)
        assert server.connections == 1


async def test_a_body_without_a_length_ends_with_the_connection():
    """HTTP/1.0 servers say where an answer ends by hanging up."""
    async with serving(writing(b"HTTP/1.1 200 OK\r\n\r\nabc", close=True)) as server, transport() as made:
        assert await ask(made, request(server.url)) == (200, b"abc")
        assert await ask(made, request(server.url)) == (200, b"abc")
        assert server.connections == 2


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "before it answered"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "in the middle of its answer"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "no HTTP"),
    ],
)
async def test_a_broken_answer_is_no_answer(sent, said):
    """Where the end has not come, or what came is no HTTP, the caller hears of it."""
    async with serving(writing(sent, close=True)) as server, transport() as made:
        with pytest.raises(httpx2.RemoteProtocolError, match=said):
            await ask(made, request(server.url))


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n"


@pytest.mark.parametrize(
    ("begin", "again", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n", "head is too large"),
        (b"HTTP/1.1 200 OK\r\nx-a: ", b"b" * 8, "head is too large"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", "head is too large"),
        (CHUNKED + b"0\r\n", b"x-a: b\r\n", "trailer is too large"),
        (CHUNKED + b"2;", b"x" * 8, "trailer is too large"),
    ],
)
async def test_what_comes_beside_a_body_has_an_end(begin, again, said):
    """Neither a head, nor one field of it, nor what follows the body fills the memory."""
    some = again * (100_000 // len(again))
    sent = 0

    async def play(_: Reader, writer: Writer) -> None:
        nonlocal sent
        writer.write(begin)
        for _ in range(200):
            writer.write(some)
            await writer.drain()
            sent += len(some)

    async with serving(play) as server, transport() as made:
        with pytest.raises(httpx2.RemoteProtocolError, match=said):
            await ask(made, request(server.url))
        assert sent < 150 * 100_000


async def test_much_of_a_body_may_come_in_small_chunks():
    """What is between the chunks is no head, however much it is in all."""
    pieces = [b"1;%b\r\n" % (b"x" * 90_000), 0.01, b"a\r\n", 0.01] * 8
    sent = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *pieces, b"0\r\nx-late: y\r\n\r\n"]
    async with serving(writing(*sent)) as server, transport() as made:
        response = await made.handle_async_request(request(server.url))
        assert await response.aread() == b"a" * 8
        assert "x-late" not in response.headers


async def test_an_announcement_is_no_answer():
    """Statuses below 200 come before the answer."""
    sent = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK
    async with serving(writing(sent)) as server, transport() as made:
        response = await made.handle_async_request(request(server.url))
        assert (response.status_code, "link" in response.headers) == (200, False)
        assert await response.aread() == b"hi"


async def test_what_nobody_asked_for_is_not_the_next_answer():
    """A second answer to one request ends the connection, so that the next request does not get it."""
    async with (
        serving(writing(OK, 0.02, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")) as server,
        transport() as made,
    ):
        assert await ask(made, request(server.url)) == (200, b"hi")
        await asyncio.sleep(0.1)
        assert await ask(made, request(server.url)) == (200, b"hi")
        assert server.connections == 2


async def test_a_second_answer_in_the_same_breath_breaks_the_first():
    """Two answers at once cannot be told apart from one that was smuggled in."""
    async with serving(writing(OK + OK)) as server, transport() as made:
        with pytest.raises(httpx2.RemoteProtocolError):
            await ask(made, request(server.url))
        with pytest.raises(httpx2.RemoteProtocolError):
            await ask(made, request(server.url))
        assert server.connections == 2


async def test_a_connection_that_the_server_closed_is_not_used():
    """While it was idle, the server may have hung up."""
    async with serving(writing(OK, close=True)) as server, transport() as made:
        for _ in range(3):
            assert await ask(made, request(server.url)) == (200, b"hi")
            await asyncio.sleep(0.02)
        assert server.connections == 3


async def test_connection_close_is_kept_to():
    """A server that says `close` is not asked again on the same connection."""
    async with serving(writing(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi")) as server:
        async with transport() as made:
            assert [await ask(made, request(server.url)) for _ in range(2)] == [(200, b"hi")] * 2
        assert server.connections == 2


async def test_an_answer_that_is_left_is_hung_up_on():
    """The endpoint sees at once that nobody listens any more."""
    async with serving(writing(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n", 30.0)) as server:
        async with transport() as made:
            response = await made.handle_async_request(request(server.url))
            stream = aiter(response.stream)
            assert await anext(stream) == b"a"
            await response.aclose()
        # The played server only notices when it reads: the socket is closed nevertheless.
        assert made._pool._origins == {}


async def test_a_request_that_is_given_up_frees_its_connection():
    """Cancelled while it waits for the head, nothing of it stays."""
    async with serving(writing(30.0)) as server, transport() as made:
        task = asyncio.create_task(ask(made, request(server.url)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.02)
        assert made._pool._origins == {}


@pytest.mark.parametrize("pieces", [(5.0,), (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", 5.0)])
async def test_silence_is_not_waited_out(pieces):
    """Neither before the head nor within the body."""
    async with serving(writing(*pieces)) as server, transport() as made:
        with pytest.raises(httpx2.ReadTimeout):
            await ask(made, request(server.url, read=0.05))


async def test_a_slow_answer_that_is_not_silent_is_let_finish():
    """The limit is between two pieces, not for the whole."""
    pieces = [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", *[0.04, b"a"] * 4]
    async with serving(writing(*pieces)) as server, transport() as made:
        assert await ask(made, request(server.url, read=0.15)) == (200, b"aaaa")


async def test_nobody_there_is_a_connect_error():
    """A closed port is refused at once, and told by its address."""
    async with serving(writing(OK)) as server:
        url = server.url
    async with transport() as made:
        with pytest.raises(httpx2.ConnectError, match=r"127\.0\.0\.1:"):
            await ask(made, request(url))


async def test_a_host_that_does_not_shake_hands_is_a_connect_timeout():
    """A connection without TLS is none."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        async with transport() as made:
            with pytest.raises(httpx2.ConnectTimeout):
                await ask(made, request(f"https://127.0.0.1:{mute.getsockname()[1]}/", connect=0.05))


async def test_at_most_so_many_connections():
    """The third request waits for one of the two connections."""
    async with serving(writing(0.03, OK)) as server, transport(most=2) as made:
        assert await asyncio.gather(*[ask(made, request(server.url)) for _ in range(6)]) == [(200, b"hi")] * 6
        assert server.connections == 2


async def test_waiting_for_a_connection_has_an_end():
    """A pool that stays full is an error of its own."""
    async with serving(writing(1.0, OK)) as server, transport(most=1) as made:
        first = asyncio.create_task(ask(made, request(server.url)))
        await asyncio.sleep(0.02)
        with pytest.raises(httpx2.PoolTimeout):
            await ask(made, request(server.url, pool=0.05))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_an_idle_connection_makes_room_for_another_host():
    """One that nobody uses is given up where the limit is reached."""
    async with serving(writing(OK)) as one, serving(writing(OK)) as other, transport(most=1) as made:
        for _ in range(2):
            assert await ask(made, request(one.url)) == (200, b"hi")
            assert await ask(made, request(other.url)) == (200, b"hi")
        assert (one.connections, other.connections) == (2, 2)


async def test_idle_connections_expire():
    """After a while nobody keeps them."""
    async with serving(writing(OK)) as server, transport(idle_s=0.05) as made:
        await ask(made, request(server.url))
        await asyncio.sleep(0.2)
        assert made._pool._origins == {}


async def test_no_more_are_kept_than_may_be():
    """Further ones are closed once they have done their work."""
    async with serving(writing(0.02, OK)) as server, transport(idle=2) as made:
        await asyncio.gather(*[ask(made, request(server.url)) for _ in range(5)])
        await asyncio.sleep(0.05)
        assert len(made._pool._origins) == 2


async def test_a_reader_who_lags_makes_the_endpoint_wait():
    """What is not read does not pile up in memory."""
    size = 20_000_000
    sent = 0

    async def play(_: Reader, writer: Writer) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async with serving(play) as server, transport() as made:
        response = await made.handle_async_request(request(server.url))
        await asyncio.sleep(0.3)
        assert sent < size
        assert sum([len(piece) async for piece in response.stream]) == size


async def test_a_reader_who_lags_does_not_let_another_answer_pile_up():
    """Reading on when the connection carries the next answer does not set that one's endpoint free."""
    size = 40_000_000
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300_000
    sent = 0

    async def play(_: Reader, writer: Writer) -> None:
        nonlocal sent
        if len(server.requests) == 1:
            writer.write(whole)
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"y" * 100_000)
            await writer.drain()
            sent += 100_000

    async with serving(play) as server, transport() as made:
        first = await made.handle_async_request(request(server.url))
        await asyncio.sleep(0.2)
        second = await made.handle_async_request(request(server.url))
        await asyncio.sleep(0.2)
        assert server.connections == 1
        assert sum([len(piece) async for piece in first.stream]) == 300_000
        await asyncio.sleep(0.5)
        assert sent < size
        assert sum([len(piece) async for piece in second.stream]) == size


async def test_a_large_request_goes_out_as_fast_as_it_is_read():
    """Three megabytes arrive whole."""
    async with serving(writing(OK)) as server, transport() as made:
        assert await ask(made, request(server.url, b"y" * 3_000_000)) == (200, b"hi")
        assert server.requests[0].endswith(b"y" * 100)


async def test_a_server_that_does_not_read_is_not_waited_for():
    """Sending has a time limit of its own."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        async with transport() as made:
            with pytest.raises(httpx2.WriteTimeout):
                await ask(made, request(f"http://127.0.0.1:{mute.getsockname()[1]}/", b"y" * 50_000_000, write=0.2))


@pytest.mark.parametrize("limit_s", [None, 5.0])
async def test_an_answer_is_heard_while_the_request_is_sent(limit_s):
    """Who answers and reads no further is not waited for, and gets no other request on that connection."""

    async def play(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 X\r\ncontent-length: 2\r\n\r\nno")
        await asyncio.sleep(30)

    async with serving(play, reads=False) as server, transport() as made:
        for connections in (1, 2):
            asked = ask(made, request(server.url, b"y" * 50_000_000, write=limit_s))
            assert await asyncio.wait_for(asked, 4.0) == (429, b"no")
            assert server.connections == connections


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\0b"])
async def test_no_field_breaks_out_of_its_line(value):
    """What would be a further field is refused before anything is sent."""
    async with serving(writing(OK)) as server, transport() as made:
        asked = httpx2.Request("POST", server.url, headers={"x-note": value}, content=b"")
        with pytest.raises(httpx2.LocalProtocolError):
            await made.handle_async_request(asked)
        assert server.connections == 0


async def test_other_schemes_are_refused():
    """There is no FTP."""
    async with transport() as made:
        with pytest.raises(httpx2.UnsupportedProtocol, match="'ftp'"):
            await made.handle_async_request(httpx2.Request("GET", "ftp://example.org/"))


async def test_tls_with_an_authority_that_is_trusted(tmp_path):
    """Requests over TLS, several on one connection."""
    shown, trusted = authority(tmp_path)
    async with serving(writing(OK), tls=shown) as server, transport(tls=trusted) as made:
        assert [await ask(made, request(server.url)) for _ in range(2)] == [(200, b"hi")] * 2
        assert server.connections == 1


async def test_tls_with_one_that_is_not(tmp_path):
    """An authority that nobody trusts is a connect error."""
    shown, _ = authority(tmp_path)
    async with serving(writing(OK), tls=shown) as server, transport() as made:
        with pytest.raises(httpx2.ConnectError, match="certificate"):
            await ask(made, request(server.url))


async def test_whatever_happens_at_once_every_request_gets_its_own_answer():
    """Under cancellations, hang-ups and small pools, no answer goes to another request."""

    async def echo(reader: Reader, writer: Writer) -> None:
        body = (await read_request(reader)).rsplit(b"\r\n\r\n", 1)[1]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
        await asyncio.sleep(int(body) % 3 / 1000)
        writer.write(body)

    async def one(number: int) -> bool | None:
        task = asyncio.create_task(ask(made, request(server.url, b"%d" % number)))
        if number % 5 == 0:
            await asyncio.sleep(0.001 * (number % 4))
            task.cancel()
        (came,) = await asyncio.gather(task, return_exceptions=True)
        return None if isinstance(came, asyncio.CancelledError) else came == (200, b"%d" % number)

    async with serving(echo, reads=False) as server, transport(most=4) as made:
        came = await asyncio.gather(*[one(number) for number in range(200)])
        assert set(came) == {True, None}
