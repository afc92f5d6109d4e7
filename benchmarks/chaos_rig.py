"""What `chaos.py` and `kills.py` stand on: endpoints that can be killed, a Redis server, a gateway, and clients."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httptools
import yaml

HERE = Path(__file__).resolve().parent
#: What is not up after so many seconds has failed.
PATIENCE_S = 30.0


class NotUp(Exception):
    """A server did not begin to listen."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def more_files() -> None:
    """Allow as many open connections as the system does, also to processes that are started."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass
class Server:
    """A process that listens on a port; it can be killed and started again."""

    command: list[str]
    port: int
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens. Raises `NotUp`."""
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=HERE.parent)
        deadline = time.monotonic() + PATIENCE_S
        while not self._listens():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise NotUp(f"{' '.join(self.command)}: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        self.stop(signal.SIGKILL)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """End it; return its status."""
        if self.popen is None:
            return 0
        self.popen.send_signal(sign)
        status = self.popen.wait(PATIENCE_S)
        self.popen = None
        return status

    def memory_mb(self) -> float:
        """Return how much memory it has now."""
        if self.popen is None:
            return 0.0
        said = Path(f"/proc/{self.popen.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", said)
        return int(found[1]) / 1024 if found else 0.0

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass
class Upstream:
    """An endpoint in a process of its own."""

    name: str
    server: Server
    mode: Path
    ledger: Path

    def charged(self) -> dict[str, tuple[int, int]]:
        """Return the tokens of each answer that it charged for, by the request's `user`."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return {user: (int(prompt), int(completion)) for user, prompt, completion in map(str.split, lines)}


def upstream(name: str, folder: Path, *, chunks: int, interval_ms: float) -> Upstream:
    """Return an endpoint, to be started."""
    port, mode, ledger = free_port(), folder / f"{name}.mode", folder / f"{name}.ledger"
    command = [sys.executable, str(HERE / "chaos_upstream.py"), "--port", str(port), "--chunks", str(chunks)]
    command += ["--interval-ms", str(interval_ms), "--mode", str(mode), "--ledger", str(ledger)]
    return Upstream(name, Server(command, port, folder / f"{name}.log"), mode, ledger)


def redis(folder: Path) -> Server | None:
    """Return a Redis server, to be started; None where there is none on this machine."""
    binary, port = shutil.which("redis-server"), free_port()
    command = [binary or "", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    return Server(command, port, folder / "redis.log") if binary else None


def gateway(folder: Path, upstreams: list[Upstream], **sections: Any) -> Server:
    """Return a gateway before endpoints, each of which has one model; the policy `auto` chooses among them."""
    providers = {
        one.name: {"vendor": "openai-compatible", "base_url": f"http://127.0.0.1:{one.server.port}/v1", "api_key": "k"}
        for one in upstreams
    }
    names = [one.name for one in upstreams]
    limits = {"gap_s": 3.0, "ttft_s": 3.0, "timeout_s": 60.0}
    policy = {"name": "auto", "pool": names, "router": {"type": "random"}, "limits": limits}
    config = {
        "providers": providers,
        "models": {name: {"provider": name, "price": {"input": 1, "output": 2}} for name in names},
        "store": {"type": "sqlite", "path": "log.db", "max_queue": 200_000},
        "policies": ["auto.yaml"],
        **sections,
    }
    (folder / "auto.yaml").write_text(yaml.safe_dump(policy))
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(folder / "gateway.yaml"), "--port", str(port)]
    return Server(command, port, folder / "gateway.log")


@dataclass
class Answer(asyncio.Protocol):
    """One request on a connection of its own, and what came of it."""

    request: bytes
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False

    def __post_init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = transport
        transport.write(self.request)  # type: ignore[attr-defined] # a TCP transport does

    def data_received(self, data: bytes) -> None:
        """Take in a part of the answer."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        self.headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Note that nothing is missing."""
        self.status, self.whole = self._parser.get_status_code(), True
        self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """End."""
        if not self.ended.done():
            self.ended.set_result(None)

    @property
    def outcome(self) -> str:
        """Return how it ended: `whole`, `told` (an error within the stream), a refusal's status, or `lost`."""
        if not self.whole:
            return "lost"
        if self.status >= 300:
            return str(self.status)
        if bytes(self.body).endswith(b"data: [DONE]\n\n"):
            return "whole"
        return "told" if b'data: {"error"' in self.body else "lost"


async def ask(port: int, path: str, body: dict[str, Any], headers: dict[str, str], limit_s: float) -> Answer:
    """Send a request; return its answer, perhaps `lost`."""
    content = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "host: gateway",
        "content-type: application/json",
        f"content-length: {len(content)}",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    answer = Answer("\r\n".join([*lines, "", ""]).encode() + content)
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: answer, "127.0.0.1", port)
    except OSError:
        return answer
    try:
        async with asyncio.timeout(limit_s):
            await answer.ended
    except TimeoutError:
        transport.close()
    return answer
