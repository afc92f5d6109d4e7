"""The processor time that transports take for a request, side by side: the gateway's own, and httpx2's.

    python benchmarks/transport.py [--rounds 5] [--requests 4000] [--connections 64]

Both send requests of 1 KB to the same upstream over connections that are kept, in turns, in one process on a core of
its own; what is told is the median over the rounds, and the ratio within each. Building requests and reading answers by
httpx2's types is part of both. Wall time is not told: it is the upstream's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import uvloop
from rig import ROOT, find_rig
from servers import CHAT_PATH, await_answer, cores, free_port, running

from providers.transport import LIMITS, open_transport

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "' + b"x" * 960 + b'"}]}'
HEADERS = {"content-type": "application/json"}


async def cpu_s(transport: httpx2.AsyncBaseTransport, url: str, requests: int, connections: int) -> float:
    """Return the seconds of processor time that a request takes."""

    async def ask(count: int) -> None:
        for _ in range(count):
            limits = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
            request = httpx2.Request("POST", url, content=BODY, headers=HEADERS, extensions={"timeout": limits})
            response = await transport.handle_async_request(request)
            if response.status_code != httpx2.codes.OK:
                raise SystemExit(f"the upstream answered {response.status_code}")
            await response.aread()
            await response.aclose()

    await asyncio.gather(*(ask(2) for _ in range(connections)))  # so that all are connected
    before = time.process_time()
    await asyncio.gather(*(ask(requests // connections) for _ in range(connections)))
    return (time.process_time() - before) / (requests // connections * connections)


async def measure(url: str, options: argparse.Namespace) -> None:
    """Print what each transport takes."""
    made = {"httpx2": lambda: httpx2.AsyncHTTPTransport(limits=LIMITS, trust_env=False), "pointsman": open_transport}
    found: Mapping[str, list[float]] = {name: [] for name in made}
    for number in range(options.rounds):
        for name in list(made)[:: 1 if number % 2 else -1]:
            transport = made[name]()
            found[name].append(await cpu_s(transport, url, options.requests, options.connections))
            await transport.aclose()
    for name, seconds in found.items():
        print(f"{name}: {statistics.median(seconds) * 1e6:.0f} us a request")
    ratios = [theirs / ours for theirs, ours in zip(found["httpx2"], found["pointsman"], strict=True)]
    print(f"httpx2 takes {statistics.median(ratios):.1f} times as long ({min(ratios):.1f} to {max(ratios):.1f})")


def main() -> None:
    """Start the upstream, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 5), ("requests", 4000), ("connections", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port, where = Path(name), free_port(), cores()
        rig = find_rig("auto", folder)
        print(f"Rig: {rig.name}")
        command = [*rig.upstream, "--port", str(port)]
        with running(command, where.load, folder / "upstream.log", ROOT) as server:
            await_answer(server, port, BODY, HEADERS)
            os.sched_setaffinity(0, {where.measured})
            uvloop.run(measure(f"http://127.0.0.1:{port}{CHAT_PATH}", options))


if __name__ == "__main__":
    main()
