"""The processor time that transports take for a request, side by side: the gateway's own, and httpx2's.

    python benchmarks/transport.py [--tls] [--rounds 5] [--requests 4000] [--connections 64]

All send requests of 1 KB to the same upstream over connections that are kept, in turns, in one process on a core of
its own; what is told is the median over the rounds, and the ratio within each. `by httpx2's types` includes building
requests and reading answers by them; `by bytes` is how the gateway sends. Over TLS, the upstream is the one in Python.
Wall time is not told: it is the upstream's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import uvloop
from authority import certify
from rig import ROOT, find_rig, python_rig
from servers import CHAT_PATH, START_LIMIT_S, DidNotStart, Server, await_answer, cores, free_port, running

from providers.transport import LIMITS
from providers.transport.line import DirectLine, Post
from providers.transport.transport import Transport
from providers.types import Timeouts

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator, Mapping

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "' + b"x" * 960 + b'"}]}'
HEADERS = {"content-type": "application/json"}
TIMEOUTS = Timeouts(total_s=60)


@dataclass(frozen=True, slots=True)
class Way:
    """How requests are sent: what it opens, what sends one and returns the status, and whose types it uses."""

    transport: httpx2.AsyncBaseTransport
    ask: Callable[[], Awaitable[int]]


def by_types(transport: httpx2.AsyncBaseTransport, url: str) -> Way:
    """Return the way by httpx2's types."""

    async def ask() -> int:
        limits = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
        request = httpx2.Request("POST", url, content=BODY, headers=HEADERS, extensions={"timeout": limits})
        response = await transport.handle_async_request(request)
        await response.aread()
        await response.aclose()
        return response.status_code

    return Way(transport, ask)


def by_bytes(transport: Transport, url: str) -> Way:
    """Return the way without them."""
    line = DirectLine(httpx2.URL(url), lambda _: HEADERS, transport)

    async def ask() -> int:
        return (await line.whole(Post(BODY, "", {}), TIMEOUTS)).status

    return Way(transport, ask)


async def cpu_s(way: Way, requests: int, connections: int) -> float:
    """Return the seconds of processor time that a request takes."""

    async def several(count: int) -> None:
        for _ in range(count):
            if (status := await way.ask()) != httpx2.codes.OK:
                raise SystemExit(f"the upstream answered {status}")

    await asyncio.gather(*(several(2) for _ in range(connections)))  # so that all are connected
    before = time.process_time()
    await asyncio.gather(*(several(requests // connections) for _ in range(connections)))
    return (time.process_time() - before) / (requests // connections * connections)


async def measure(url: str, tls: ssl.SSLContext, options: argparse.Namespace) -> None:
    """Print what each way takes."""
    made: Mapping[str, Callable[[], Way]] = {
        "httpx2": lambda: by_types(httpx2.AsyncHTTPTransport(verify=tls, limits=LIMITS, trust_env=False), url),
        "pointsman by httpx2's types": lambda: by_types(Transport(tls, LIMITS), url),
        "pointsman by bytes": lambda: by_bytes(Transport(tls, LIMITS), url),
    }
    found: Mapping[str, list[float]] = {name: [] for name in made}
    for number in range(options.rounds):
        for name in list(made)[:: 1 if number % 2 else -1]:
            way = made[name]()
            found[name].append(await cpu_s(way, options.requests, options.connections))
            await way.transport.aclose()
    for name, seconds in found.items():
        ratios = [theirs / ours for theirs, ours in zip(found["httpx2"], seconds, strict=True)]
        told = f"httpx2 takes {statistics.median(ratios):.1f} times as long ({min(ratios):.1f} to {max(ratios):.1f})"
        print(f"{name}: {statistics.median(seconds) * 1e6:.0f} us a request; {told}")


@contextmanager
def upstream(folder: Path, *, tls: bool) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Run an upstream; give its address, and what trusts it."""
    port, where = free_port(), cores()
    if tls:
        certificate = folder / "localhost.pem"
        trusted = certify(certificate)
        rig = python_rig("the one that speaks TLS")
        command = [*rig.upstream, "--port", str(port), "--certificate", str(certificate)]
    else:
        rig, trusted = find_rig("auto", folder), httpx2.create_ssl_context(trust_env=False)
        command = [*rig.upstream, "--port", str(port)]
    print(f"Rig: {rig.name}")
    with running(command, where.load, folder / "upstream.log", ROOT) as server:
        os.sched_setaffinity(0, {where.measured})
        if tls:
            await_port(server, port)
        else:
            await_answer(server, port, BODY, HEADERS)
        yield f"{'https://localhost' if tls else 'http://127.0.0.1'}:{port}{CHAT_PATH}", trusted


def await_port(server: Server, port: int) -> None:
    """Return once somebody listens on a port. Raises `DidNotStart`."""
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DidNotStart(f"{server.process.args} does not listen on {port}\n{server.log.read_text(errors='replace')}")


def main() -> None:
    """Start the upstream, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tls", action="store_true", help="measure over TLS")
    for name, default in (("rounds", 5), ("requests", 4000), ("connections", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, upstream(Path(name), tls=options.tls) as (url, trusted):
        uvloop.run(measure(url, trusted, options))


if __name__ == "__main__":
    main()
