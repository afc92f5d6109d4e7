"""Takes all new connections that wait in one turn of the event loop.

libuv takes one from a listening socket each turn. Where a turn is long, new connections would wait for as many turns as
there are before them: of 2,000 that came within a second, hundreds for more than five. So a second reader empties the
queue; it takes some five microseconds a connection.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import uvicorn

logger = logging.getLogger("pointsman")

#: Seconds for which nobody is taken after the system has refused to.
REST_S: Final = 1.0


class Backlog:
    """The connections that wait at a listening socket, beside the server that takes one a turn."""

    def __init__(self, listening: socket.socket, connection: Callable[[], asyncio.Protocol]) -> None:
        self._socket = socket.socket(fileno=os.dup(listening.fileno()))
        self._socket.settimeout(0)
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._begun: set[asyncio.Task[object]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self._read()

    def close(self) -> None:
        """Take no more."""
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    async def wait_closed(self) -> None:
        """Return at once: what was taken is the protocol's."""

    def _read(self) -> None:
        self._resting = None
        self._loop.add_reader(self._socket, self._take)

    def _take(self) -> None:
        """Take all that wait."""
        try:
            while True:
                self._begin(self._socket.accept()[0])
        except BlockingIOError:
            return  # nobody is left
        except OSError as error:
            # Above all: no file descriptor is left. It would be said again in every turn.
            logger.warning("connections.untaken", extra={"reason": str(error)})
            self._loop.remove_reader(self._socket)
            self._resting = self._loop.call_later(REST_S, self._read)

    def _begin(self, taken: socket.socket) -> None:
        begun = self._loop.connect_accepted_socket(self._connection, taken)
        task: asyncio.Task[object] = self._loop.create_task(begun)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)


def accept_more(server: uvicorn.Server) -> None:
    """Have a server that listens take all connections that wait."""

    def connection() -> asyncio.Protocol:
        return server.config.http_protocol_class(  # type: ignore[call-arg] # as uvicorn itself does
            config=server.config, server_state=server.server_state, app_state=server.lifespan.state
        )

    listening = [one for own in server.servers for one in own.sockets]
    # It is asked to close, and for nothing else.
    server.servers += [Backlog(one, connection) for one in listening]  # type: ignore[misc]
