"""Count the function calls that the gateway makes for a request, and for an event of a stream: work, without a clock.

    python benchmarks/calls.py [--batches 5] [--requests 20]

Calls of Python functions and of built-in ones are counted on the event loop's thread, from the bytes of the request to
those of the answer, and what is done of it later, one request at a time, against an endpoint in a process of its own.
They do not depend on how busy or how quick the machine is, but for timers that ring meanwhile: so the median over
batches is told. `call_bounds.json` has what they may be; `tests/benchmarks/test_calls.py` compares.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from rig import ROOT, python_rig
from servers import CHAT_PATH, await_answer, cores, free_port, running
from targets import KEY, Target, gateway_config, write_policies

from gateway.application import Gateway
from gateway.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable


#: Events of the shorter and of the longer stream: what the longer one takes more is its events'.
SHORT, LONG = 10, 60
#: Microseconds between two events: enough for each to be read alone.
INTERVAL_US = 4000
#: Seconds after an answer, for what is done of it later: else that is done for several requests at once, and for more
#: of them the quicker the machine is.
LATER_S = 0.05


class Counted:
    """The gateway of this process: counts the calls of its event loop while it is asked to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self._loop = loop
        self._profile = cProfile.Profile()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def calls(self, bodies: list[bytes]) -> float:
        """Return the calls that a request takes, over some that are sent one after the other."""
        before = self._counted(self._profile.enable)
        for body in bodies:
            headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
            self._connection.request("POST", CHAT_PATH, body, headers)
            answer = self._connection.getresponse()
            said = answer.read()
            if answer.status != http.client.OK:
                raise SystemExit(f"the gateway answered {answer.status}: {said.decode()}")
            time.sleep(LATER_S)
        return (self._counted(self._profile.disable) - before) / len(bodies)

    def stop(self) -> None:
        """Stop counting on this connection."""
        self._connection.close()

    def _counted(self, switch: Callable[[], None]) -> int:
        """Return the calls so far, and switch the counting on or off, on the event loop's own thread."""
        found: list[int] = []
        done = threading.Event()

        def look() -> None:
            self._profile.disable()
            found.append(sum(entry.callcount for entry in self._profile.getstats()))
            done.set()
            switch()

        self._loop.call_soon_threadsafe(look)
        done.wait()
        return found[0]


def bodies(model: str, count: int, batch: int, *, stream: bool = False) -> list[bytes]:
    """Return requests of 1 KB, each with a prompt that was never sent before."""
    sent = Target("counted", "counted", 0, model, varies=True).body("streams" if stream else "requests")
    return [sent.replace(b"0" * 16, b"%08d%08d" % (batch, number)) for number in range(count)]


def count(counted: Counted, batches: int, requests: int) -> dict[str, float]:
    """Return the calls for a request by a model's name, for one by `auto`, and for an event of a stream."""
    ways: dict[str, Callable[[int], float]] = {
        "named": lambda batch: counted.calls(bodies("mock-model", requests, batch)),
        "auto": lambda batch: counted.calls(bodies("auto", requests, batch)),
        "short": lambda batch: counted.calls(bodies("other-model", 3, batch, stream=True)),
        "long": lambda batch: counted.calls(bodies("slow-model", 3, batch, stream=True)),
    }
    # The first of each kind finds nothing prepared.
    found = {way: [counts(batch) for batch in range(batches + 1)][1:] for way, counts in ways.items()}
    middle = {way: statistics.median(values) for way, values in found.items()}
    event = (middle["long"] - middle["short"]) / (LONG - SHORT)
    return {"named": round(middle["named"], 1), "auto": round(middle["auto"], 1), "event": round(event, 1)}


async def serving(gateway: Gateway, port: int, batches: int, requests: int) -> dict[str, float]:
    """Serve until all is counted."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()

    async def announce(_: str) -> None:
        ready.set()

    server = asyncio.ensure_future(serve(gateway, "127.0.0.1", port, announce))
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait({server, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if server.done():
        server.result()
    counted = Counted(loop, port)
    try:
        return await asyncio.to_thread(count, counted, batches, requests)
    finally:
        counted.stop()
        # As SIGTERM does, which the server looks for.
        os.kill(os.getpid(), 15)
        await server


def configured(folder: Path, ports: dict[str, int]) -> Path:
    """Write the configuration; return its path."""
    write_policies(folder, "static")
    config = gateway_config(ports["named"], ports["long"], "static")
    config["providers"]["short"] = {"vendor": "openai-compatible", "base_url": f"http://127.0.0.1:{ports['short']}/v1"}
    config["models"]["other-model"]["provider"] = "short"
    config["policies"] = ["auto.yaml"]
    (folder / "gateway.yaml").write_text(json.dumps(config))
    return folder / "gateway.yaml"


def main() -> None:
    """Print what was counted, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {}
        for name, chunks in (("named", LONG), ("short", SHORT), ("long", LONG)):
            ports[name] = free_port()
            shape = ("--chunks", str(chunks), "--interval-us", str(INTERVAL_US))
            command = (*python_rig("").upstream, "--port", str(ports[name]), *shape)
            upstream = stack.enter_context(running(command, cores().load, folder / f"{name}.log", ROOT))
            await_answer(upstream, ports[name], b"{}", {})
        gateway = Gateway(configured(folder / "gateway", ports), {}, learn=False)
        found = uvloop.run(serving(gateway, free_port(), options.batches, options.requests))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
