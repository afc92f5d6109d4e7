"""New connections are taken however long a turn of the event loop is."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import time

import uvicorn
import uvloop

from gateway.accepting import REST_S, accept_more

CLIENTS = 60


async def _app(_scope, _receive, _send):
    """Answer nothing: the test is about who gets in."""


@contextlib.asynccontextmanager
async def serving(*, more: bool):
    """Serve on a free port."""
    config = uvicorn.Config(_app, port=0, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    if more:
        accept_more(server)
    try:
        yield server
    finally:
        server.force_exit = True
        await server.shutdown()


def connected(server: uvicorn.Server, count: int) -> list[socket.socket]:
    """Return connections that the system has made, and the server has yet to take."""
    address = server.servers[0].sockets[0].getsockname()
    return [socket.create_connection(address) for _ in range(count)]


def run(test):
    """Run on the event loop that serves in production."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(test)


async def taken_in_few_turns(*, more: bool) -> int:
    """Return how many connections are taken in five turns that are long."""
    async with serving(more=more) as server:
        clients = connected(server, CLIENTS)
        for _ in range(5):
            time.sleep(0.005)  # noqa: ASYNC251 - the turn is to be long
            await asyncio.sleep(0)
        found = len(server.server_state.connections)
        for client in clients:
            client.close()
        return found


def test_all_that_wait_are_taken_at_once():
    """Alone, the loop takes one a turn: that is what it is for."""
    assert CLIENTS == run(taken_in_few_turns(more=True))
    assert run(taken_in_few_turns(more=False)) < CLIENTS / 2


def test_nobody_is_taken_after_the_end():
    """The listening socket is closed with the server."""

    async def closed() -> tuple[str, int]:
        async with serving(more=True) as server:
            return server.servers[0].sockets[0].getsockname()

    address = run(closed())
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(address).close()
        raise AssertionError("somebody still listens")


def test_a_process_without_file_descriptors_rests_and_goes_on(caplog):
    """It neither ends nor says so in every turn."""

    async def starved() -> int:
        async with serving(more=True) as server:
            clients = connected(server, 3)
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (clients[-1].fileno() + 1, limits[1]))
            try:
                await asyncio.sleep(0.2)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            late = socket.create_connection(server.servers[0].sockets[0].getsockname())
            await asyncio.sleep(REST_S + 0.3)
            found = len(server.server_state.connections)
            for client in (*clients, late):
                client.close()
            return found

    assert run(starved()) >= 1
    assert 1 <= sum("connections.untaken" in record.message for record in caplog.records) <= 2
