"""A server that has too much to do, over real sockets: who is refused, how, and what the others get."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import time

import pytest
import uvicorn
from prometheus_client import CollectorRegistry, Counter

from gateway.accepting import accept_more
from gateway.config.models import ServerConfig
from gateway.connections import bounded
from gateway.overload_door import PATHS, door
from gateway.resting import MOST_BYTES, PAUSE_S
from gateway.shedding import ALWAYS, BURST, RETRY_S

CHAT, BODY = "/v1/chat/completions", b'{"model": "m"}'
ANSWER = b'{"id": 1}'
#: Seconds of the event loop that a request takes.
WORK_S = 0.002


def work() -> None:
    """Need the processor."""
    end = time.thread_time() + WORK_S
    while time.thread_time() < end:
        pass


class App:
    """Answers each request once it may, after some work that nothing else can be done beside."""

    def __init__(self) -> None:
        self.served = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, _scope, receive, send) -> None:
        while (await receive()).get("more_body"):
            pass
        work()
        await self.open.wait()
        self.served += 1
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(ANSWER))]}
        )
        await send({"type": "http.response.body", "body": ANSWER})


class Running:
    """A server that runs in the test's own event loop."""

    def __init__(self, app: App, server: uvicorn.Server, counter: Counter) -> None:
        self.app = app
        self._server = server
        self._counter = counter

    @property
    def port(self) -> int:
        return self._server.servers[0].sockets[0].getsockname()[1]

    def refused(self, reason: str) -> float:
        return self._counter.labels(reason)._value.get()

    @property
    def unanswered(self) -> int:
        return self._server.config.http_protocol_class.overload.unanswered

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    async def connect(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))

    async def occupied(self) -> Client:
        """Return a client whose request is under way until the application is opened again."""
        self.app.open.clear()
        client = await self.connect()
        await client.send()
        await asyncio.sleep(0.05)
        return client


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, path: str = CHAT, body: bytes = BODY, *more: str) -> tuple[int, dict[str, str], bytes]:
        await self.send(path, body, *more)
        return await self.answer()

    async def send(self, path: str = CHAT, body: bytes = BODY, *more: str) -> None:
        self.write(path, body, *more)
        await self._writer.drain()

    def write(self, path: str = CHAT, body: bytes = BODY, *more: str) -> None:
        lines = [f"POST {path} HTTP/1.1", "host: here", *(more or [f"content-length: {len(body)}"]), "", ""]
        self._writer.write("\r\n".join(lines).encode() + body)

    async def more(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, await self._reader.readexactly(int(headers["content-length"]))

    async def at_end(self) -> bool:
        return await self._reader.read() == b""

    def close(self) -> None:
        self._writer.close()


@contextlib.asynccontextmanager
async def serving(**settings):
    """Serve the app behind the door."""
    app, server_config = App(), ServerConfig(**settings)
    counter = Counter("overloaded", "Refused.", ["reason"], registry=CollectorRegistry())
    protocol = door(bounded(server_config), server_config, counter)
    config = uvicorn.Config(app, port=0, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    accept_more(server)
    try:
        yield Running(app, server, counter)
    finally:
        app.open.set()
        server.force_exit = True
        await server.shutdown()


async def test_beyond_so_many_in_flight_requests_are_refused_and_served_again_afterwards():
    """In OpenAI's form, and with the time after which to ask again."""
    async with serving(max_in_flight=2) as running:
        running.app.open.clear()
        clients = [await running.connect() for _ in range(3)]
        for client in clients[:2]:
            await client.send()
        await asyncio.sleep(0.05)

        status, headers, body = await clients[2].ask()

        assert (429, "1", "1000") == (status, headers["retry-after"], headers["retry-after-ms"])
        assert "application/json" == headers["content-type"]
        assert {"type": "rate_limit_error", "code": "overloaded", "param": None}.items() <= json.loads(body)[
            "error"
        ].items()
        assert 1 == running.refused("in_flight")
        running.app.open.set()
        assert [200, 200] == [(await client.answer())[0] for client in clients[:2]]
        assert 200 == (await clients[2].ask())[0]
        for client in clients:
            client.close()


@pytest.mark.parametrize("path", ["/healthz", "/v1/feedback", "/metrics"])
async def test_what_takes_no_decision_is_always_served(path):
    """Probes above all: who is busy is not dead."""
    async with serving(max_in_flight=1) as running:
        busy, probe = await running.occupied(), await running.connect()
        await probe.send(path)
        await asyncio.sleep(0.05)
        running.app.open.set()
        assert 200 == (await probe.answer())[0]
        assert 200 == (await busy.answer())[0]
        busy.close(), probe.close()


async def test_every_path_that_takes_a_decision_can_be_refused():
    """With a question mark behind it as well."""
    async with serving(max_in_flight=1) as running:
        busy = await running.occupied()
        for path in [*map(bytes.decode, PATHS), f"{CHAT}?a=b"]:
            client = await running.connect()
            assert 429 == (await client.ask(path))[0]
            client.close()
        running.app.open.set()
        await busy.answer()
        busy.close()


async def test_who_is_answered_or_has_left_is_counted_no_more():
    """Nor who was refused, nor whose head was too large."""
    async with serving(max_in_flight=3) as running:
        answered, left, large = [await running.occupied() for _ in range(3)]
        refused = await running.connect()
        assert 429 == (await refused.ask())[0]
        assert 3 == running.unanswered
        left.close()
        running.app.open.set()
        assert [200, 200] == [(await client.answer())[0] for client in (answered, large)]
        assert 431 == (await large.ask(CHAT, b"", *["a: b"] * 10_000))[0]
        await asyncio.sleep(0.05)
        assert 0 == running.unanswered
        for client in (answered, large, refused):
            client.close()


async def test_a_client_that_asks_first_whether_to_send_its_body_is_hung_up_on():
    """What it sends next is a body or another request: nobody could tell."""
    async with serving(max_in_flight=1) as running:
        busy, asking = await running.occupied(), await running.connect()
        status, headers, _ = await asking.ask(CHAT, b"", "content-length: 1000", "expect: 100-continue")
        assert (429, "close") == (status, headers["connection"])
        assert await asking.at_end()
        running.app.open.set()
        await busy.answer()
        busy.close(), asking.close()


async def test_a_refused_body_is_read_past_and_the_connection_kept():
    """However large it is."""
    async with serving(max_in_flight=1) as running:
        busy, large = await running.occupied(), await running.connect()
        assert 429 == (await large.ask(body=b"x" * 3_000_000))[0]
        running.app.open.set()
        await busy.answer()
        assert 200 == (await large.ask())[0]
        busy.close(), large.close()


async def test_a_refused_body_that_stops_coming_is_not_awaited_for_ever():
    """On a connection that is used again as on a new one; slow is not wrong."""
    async with serving(max_in_flight=1, body_timeout_s=0.5) as running:
        stalled, slow = await running.connect(), await running.connect()
        for client in (stalled, slow):
            assert 200 == (await client.ask())[0]
        busy = await running.occupied()
        for client in (stalled, slow):
            await client.send(CHAT, b"x", "content-length: 5")
        for _ in range(4):
            await asyncio.sleep(0.2)
            await slow.more(b"x")
        assert 429 == (await slow.answer())[0]
        async with asyncio.timeout(3):
            assert await stalled.at_end()
        running.app.open.set()
        await busy.answer()
        busy.close(), slow.close(), stalled.close()


async def test_a_connection_that_was_refused_is_read_again_after_a_moment():
    """Who does not wait is answered later, not never."""
    async with serving(max_in_flight=1) as running:
        busy, eager = await running.occupied(), await running.connect()
        await eager.ask()
        begun = time.monotonic()
        assert 429 == (await eager.ask())[0]
        assert PAUSE_S == pytest.approx(time.monotonic() - begun, abs=0.4)
        running.app.open.set()
        await busy.answer()
        busy.close(), eager.close()


async def test_who_hangs_up_while_it_rests_is_seen_to_at_once():
    """Whoever is gone is no overload."""
    async with serving(max_in_flight=1) as running:
        busy, eager = await running.occupied(), await running.connect()
        await eager.ask()
        assert 2 == running.connections
        await eager.send()
        eager.close()
        await asyncio.sleep(PAUSE_S / 5)
        assert 1 == running.connections
        running.app.open.set()
        await busy.answer()
        busy.close()


async def test_what_a_resting_connection_sends_is_kept():
    """Also more of it than is kept at a time."""
    async with serving(max_in_flight=1) as running:
        busy, eager = await running.occupied(), await running.connect()
        await eager.ask()
        running.app.open.set()
        await busy.answer()
        assert 200 == (await eager.ask("/v1/feedback", b"x" * 20 * MOST_BYTES))[0]
        assert 200 == (await eager.ask())[0]
        busy.close(), eager.close()


async def _insist(running: Running, end: float, waits: dict[int, list[float]], *, last_s: float) -> None:
    """Never wait, also not after a refusal; note how long requests of the last seconds took."""
    client = await running.connect()
    while (begun := time.monotonic()) < end:
        status, *_ = await client.ask()
        if end - begun < last_s:
            waits[status].append(time.monotonic() - begun)
    client.close()


async def test_overload_leaves_those_that_are_taken_a_short_wait():
    """500 clients that never wait, and a server that could serve 500 requests a second."""
    async with serving() as running:
        waits: dict[int, list[float]] = {200: [], 429: []}
        end = time.monotonic() + 5
        await asyncio.gather(*(_insist(running, end, waits, last_s=2) for _ in range(500)))

        assert len(waits[200]) > 100
        assert running.refused("lag") >= len(waits[429]) > 100
        assert statistics.median(waits[200]) < 500 * WORK_S / 3  # a third of what it is without a bound


async def _at_once(clients: list[Client]) -> list[int]:
    """Ask by all of them between two turns of the loop, and return what each is answered."""
    for client in clients:
        client.write()
    return [(await client.answer())[0] for client in clients]


async def _pressed(running: Running) -> list[Client]:
    """Return the clients of two bursts: in the first the server learned that the second was too much."""
    clients = [await running.connect() for _ in range(500)]
    assert len(clients) < BURST
    assert {200} == set(await _at_once(clients))
    assert 0 == running.refused("lag")
    assert {200, 429} == set(await _at_once(clients))
    assert running.refused("lag") > ALWAYS
    return clients


async def test_when_those_have_left_that_made_the_overload_nobody_is_refused_any_more():
    """Nor before it by a burst that was no more than the server could answer."""
    async with serving() as running:
        for client in await _pressed(running):
            client.close()
        await asyncio.sleep(PAUSE_S / 2)  # for the server to see it
        assert 0 == running.connections
        before = running.refused("lag")
        polite = [await running.connect() for _ in range(64)]
        assert {200} == set(await _at_once(polite))
        assert before == running.refused("lag")
        for client in polite:
            client.close()


async def test_the_beginning_and_the_end_are_said_once(caplog):
    """With how late the loop was."""
    async with serving() as running:
        clients = await _pressed(running)
        await asyncio.sleep(RETRY_S + 0.5)
        assert {200} == set(await _at_once(clients[:ALWAYS]))
        for client in clients:
            client.close()
    said = [record for record in caplog.records if record.message.startswith("overload.")]
    assert ["overload.began", "overload.ended"] == [record.message for record in said]
    assert said[0].late_ms > 0


async def test_no_few_clients_are_refused_however_late_the_loop_is():
    """64 clients that never wait are a busy server, not an overload."""
    async with serving() as running:
        end = time.monotonic() + 1.5

        async def insist() -> None:
            client = await running.connect()
            while time.monotonic() < end:
                assert 200 == (await client.ask())[0]
            client.close()

        await asyncio.gather(*(insist() for _ in range(64)))

        assert running.app.served > 100
