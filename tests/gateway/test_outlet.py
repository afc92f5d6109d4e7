"""The way of events to a client, with and without a wire."""

import asyncio

import pytest

from gateway.api.stream import EventOutlet
from gateway.api.wire import Wire
from gateway.client import Client, ClientLeft

A, B, C = b"data: a\n\n", b"data: b\n\n", b"data: c\n\n"


class Server:
    """What stands behind `send`, with as much of uvicorn's cycle as a wire asks for."""

    def __init__(self, error=None):
        self.sent = []
        self.written = []
        self.error = error
        self.disconnected = False
        self.chunked_encoding = None
        self.default_headers = [(b"server", b"own")]
        self.keep_alive = True
        self.scope = {"http_version": "1.1"}
        self.response_started = self.response_complete = self.waiting_for_100_continue = False
        self.message_event = asyncio.Event()
        self.closed = False
        self.write_paused = False
        self.transport = self.flow = self
        self.room = asyncio.Event()

    async def send(self, message):
        """Take a message, as an ASGI server does."""
        if self.error is not None:
            raise self.error
        self.sent.append(message)

    def write(self, data):
        """Take bytes, as a transport does."""
        self.written.append(data)

    def close(self):
        """Hang up once all is written."""
        self.closed = True

    def on_response(self):
        """Go on with the next request."""

    async def drain(self):
        """Wait for room."""
        await self.room.wait()


def wired(server):
    """Return the wire of a server's request."""
    wire = Wire(None)
    wire.begin(server)
    return wire


async def begun(server, headers=None):
    """Return the outlet to a server with a wire, through which the first event has gone."""
    outlet = EventOutlet(headers or {}, server.send, wired(server), Client())
    outlet.write([A])
    await outlet.drained()
    return outlet


def body(message):
    """Return what a message says of a body."""
    return message["type"], message["body"], message["more_body"]


async def test_nothing_is_sent_before_there_is_a_task_to_send_it():
    """So that whatever fails before the first event can still be answered by an error."""
    server, client = Server(), Client()
    outlet = EventOutlet({}, server.send, wired(server), client)

    assert outlet.write([A])
    assert ([], [], False) == (server.sent, server.written, client.begun)


async def test_the_head_comes_first_and_then_what_has_waited():
    """In one message for all that has; without a wire all events come so."""
    server, client = Server(), Client()
    outlet = EventOutlet({"x-own": "1"}, server.send, None, client)
    outlet.write([A])
    outlet.write([B])
    await outlet.drained()
    assert outlet.write([C])
    await outlet.drained()
    await outlet.end()

    head, *parts = server.sent
    assert (200, True) == (head["status"], (b"x-own", b"1") in head["headers"])
    bodies = [("http.response.body", A + B, True), ("http.response.body", C, True), ("http.response.body", b"", False)]
    assert bodies == [body(part) for part in parts]


async def test_with_a_wire_the_head_and_what_has_waited_are_written_in_one_piece():
    """As a server would write them, one after the other."""
    server, client = Server(), Client()
    outlet = EventOutlet({"x-own": "1"}, server.send, wired(server), client)
    outlet.write([A])
    outlet.write([B])
    await outlet.drained()

    (written,) = server.written
    head, _, chunk = written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert b"HTTP/1.1 200 OK" == first
    assert {b"server: own", b"content-type: text/event-stream; charset=utf-8", b"x-own: 1"} < set(lines)
    assert b"transfer-encoding: chunked" in lines
    assert b"12\r\n" + A + B + b"\r\n" == chunk
    assert ([], True, True) == (server.sent, client.begun, server.response_started)


async def test_with_a_wire_events_are_written_at_once():
    """From the first on, each with the length of its chunk, and the end as well (RFC 9112, section 7.1)."""
    server = Server()
    outlet = await begun(server)

    assert not outlet.write([B])
    assert not outlet.write([B, C])
    await outlet.end()
    assert [b"9\r\n" + B + b"\r\n", b"12\r\n" + B + C + b"\r\n", b"0\r\n\r\n"] == server.written[1:]
    assert ([], True, False) == (server.sent, server.response_complete, server.closed)


async def test_a_connection_that_is_to_end_is_closed_after_the_answer():
    """And the client told beforehand."""
    server = Server()
    server.keep_alive = False
    outlet = await begun(server)
    await outlet.end()

    assert b"connection: close\r\n" in server.written[0]
    assert server.closed


async def test_a_client_of_http_1_0_gets_no_chunks():
    """It knows none (RFC 9112, section 6.1): what it gets ends with the connection."""
    server = Server()
    server.scope["http_version"], server.keep_alive = "1.0", False
    outlet = await begun(server)
    outlet.write([B, C])
    await outlet.end()

    head, _, first = server.written[0].partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert [A, B + C] == [first, *server.written[1:]]
    assert server.closed


async def test_where_the_client_has_to_read_first_the_server_waits_for_it():
    """With the head, and with the end."""
    server = Server()
    server.write_paused = True
    outlet = await begun(server)
    await outlet.end()

    bodies = [("http.response.body", A, True), ("http.response.body", b"", False)]
    assert bodies == [body(part) for part in server.sent[1:]]
    assert [] == server.written


async def test_a_header_that_would_break_out_of_its_line_is_the_server_s_to_refuse():
    """As it does with any other answer."""
    server = Server()
    await begun(server, {"x-own": "1\r\nx-forged: 2"})

    assert "http.response.start" == server.sent[0]["type"]
    assert [] == server.written


async def test_a_client_that_reads_slowly_is_waited_for():
    """What was written goes out all the same."""
    server = Server()
    outlet = await begun(server)
    server.write_paused = True

    assert outlet.write([B])
    waiting = asyncio.ensure_future(outlet.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    server.room.set()
    await waiting


async def test_nothing_is_written_to_a_connection_that_was_lost():
    """As with any message to it."""
    server = Server()
    outlet = await begun(server)
    written = list(server.written)
    server.disconnected = True

    assert not outlet.write([B])
    await outlet.end()
    assert written == server.written


async def test_what_somebody_else_wants_to_see_is_sent_through_him():
    """A middleware that changes what is sent is not passed over."""
    server, seen = Server(), []

    async def seeing(message):
        seen.append(message["type"])
        await server.send(message)

    outlet = EventOutlet({}, seeing, wired(server), Client())
    for event in (A, B):
        assert outlet.write([event])
        await outlet.drained()
    await outlet.end()

    assert ["http.response.start", *["http.response.body"] * 3] == seen
    assert [] == server.written


async def test_a_server_that_says_that_nobody_reads_is_believed():
    """It is the client who has left, and no failure."""
    client = Client()
    outlet = EventOutlet({}, Server(OSError("nobody reads")).send, None, client)
    outlet.write([A])
    with pytest.raises(ClientLeft):
        await outlet.drained()

    assert client.left


async def test_a_stream_without_events_has_a_head_and_an_end():
    """As any answer."""
    server = Server()
    await EventOutlet({}, server.send, wired(server), Client()).end()

    assert ["http.response.start", "http.response.body"] == [message["type"] for message in server.sent]
