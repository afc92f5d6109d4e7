"""A real Redis server of its own, which can be killed and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A server that is not up after so long has failed.
PATIENCE_S = 10.0


@dataclass
class RedisServer:
    """A server on a port of its own. It keeps what it holds over `stop` and `start`, and loses it by `kill`."""

    folder: Path
    port: int
    popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        self.popen = subprocess.Popen([*command, "--daemonize", "no"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while not self._listens():
            assert self.popen.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.01)

    def stop(self) -> None:
        """End it in order; it saves what it holds."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"SHUTDOWN SAVE\r\n")
        self._wait()

    def kill(self) -> None:
        """End it at once; what it held is lost."""
        if self.popen is not None:
            self.popen.kill()
        self._wait()

    def _wait(self) -> None:
        if self.popen is not None:
            self.popen.wait(PATIENCE_S)
            self.popen = None

    def _listens(self) -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0


def _binary() -> str:
    found = shutil.which("redis-server")
    assert found is not None, "redis-server is not installed: `make redis` installs Debian's"
    return found


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Serve on a free port, with its files in `folder`; yield the server, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = RedisServer(folder, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
