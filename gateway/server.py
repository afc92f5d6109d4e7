"""Runs the application under uvicorn: says when it is ready and what it serves, and drains when told to stop."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.accepting import accept_more
from gateway.app import create_app
from gateway.config.loader import ConfigError
from gateway.config.references import strangers_problem
from gateway.connections import bounded
from gateway.heap import settle
from gateway.overload_door import door
from gateway.workers.sockets import listening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from socket import socket
    from types import FrameType

    from gateway.application import Gateway
    from gateway.config.models import ServerConfig
    from gateway.workers.team import Team

    #: Tells the address that a server listens on.
    Announce = Callable[[str], Awaitable[None]]


class Server(uvicorn.Server):
    """Announces its address once it listens, and is no longer ready from the first signal to stop on."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, announce: Announce) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._announce = announce

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            settle()
            accept_more(self)
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            await self._announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: no new connections, and time for the open ones; a second SIGINT does not wait for them.

        uvicorn would raise the signal again at the end; a wish to stop that was met is a success, status 0.
        """
        del frame
        self._gateway.stopping = True
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Listen until the requests that are open now have ended, then stop; both within the time to drain.

        Until then who probes is told 503, which a closed port cannot say, and who has not heard of it is served.
        """
        deadline = time.monotonic() + (self.config.timeout_graceful_shutdown or 0)
        opened = set(self.server_state.tasks)
        while opened and not self.force_exit and time.monotonic() < deadline:
            # In short turns: a second SIGINT ends the wait.
            _, opened = await asyncio.wait(opened, timeout=min(0.1, max(0.0, deadline - time.monotonic())))
        self.config.timeout_graceful_shutdown = max(0, math.ceil(deadline - time.monotonic()))
        await super().shutdown(sockets)


async def serve(gateway: Gateway, host: str | None, port: int | None, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    `announce` is told the address once it listens. Raises `ConfigError` and `StoreError`.
    """
    await gateway.open()
    settings = gateway.runtime.config.server
    host = host or settings.host
    if problem := strangers_problem(gateway.runtime.config, host):
        await gateway.aclose()
        raise ConfigError(f"--host: {problem}")
    config = _config(gateway, settings, host=host, port=settings.port if port is None else port)
    await _run(gateway, Server(config, gateway, announce))


async def work(gateway: Gateway, team: Team, said: Callable[[str], str]) -> None:
    """Serve as one of several workers, until SIGTERM or SIGINT, or until the parent has ended.

    `said` returns what is to be said once all listen, for the address. Raises `ConfigError` and `StoreError`.
    """
    await gateway.open()
    place, written = team.place, gateway.runtime.config.server
    settings = written.model_copy(update={"max_in_flight": place.share(written.max_in_flight)})
    sockets = listening(place.host, place.port)
    server = Server(_config(gateway, settings), gateway, lambda address: team.ready(said(address)))
    team.channel.ended.add_done_callback(lambda _: server.handle_exit(signal.SIGTERM, None))
    await _run(gateway, server, sockets)


def _config(gateway: Gateway, settings: ServerConfig, **address: Any) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(gateway),
        **address,
        http=door(bounded(settings), settings, gateway.metrics.overloaded),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Nothing here reads the client's address, so nothing has to find it out.
        proxy_headers=False,
        # The system's own backlog bounds a burst of new connections.
        backlog=4096,
        timeout_graceful_shutdown=round(settings.drain_s),
    )


async def _run(gateway: Gateway, server: Server, sockets: list[socket] | None = None) -> None:
    """Run a server to its end; SIGHUP reloads the configuration."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[bool]] = set()

    def reload() -> None:
        task = asyncio.ensure_future(gateway.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        await server.serve(sockets)
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        await gateway.aclose()
