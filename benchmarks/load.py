"""A load generator for HTTP/1.1: closed loop, or open loop at a fixed rate. Prints one JSON object.

Run `python benchmarks/load.py --port 8080 --body body.json --conns 16 --duration 5`. In the open loop a request
that finds no free connection waits, and its latency counts from when it was due. Events are counted by the stamps
that `mock_upstream.py` puts into them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import httptools
import uvloop

#: With `--vary`, this text in the body is replaced by a number that is never sent twice.
PLACEHOLDER = b"0" * 16
#: A connection that was lost is opened again after this long.
RECONNECT_S = 0.02
#: Microseconds of the monotonic clock at which an event was sent.
STAMP = re.compile(rb"@(\d+)@")


@dataclass(slots=True)
class Seen:
    """What came of the requests. Those begun before the measurement are only issued."""

    issued: int = 0
    unfinished: int = 0
    ok: int = 0
    non2xx: int = 0
    s429: int = 0
    errors: int = 0
    events: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    first_bytes_ms: list[float] = field(default_factory=list)
    events_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Span:
    """When measuring begins and ends, in seconds of the monotonic clock; `rate` of 0 is a closed loop."""

    begin: float
    end: float
    rate: float


class Request:
    """The bytes of a request; each time with another number in its body, where it is to vary."""

    def __init__(self, head: bytes, body: bytes, *, vary: bool) -> None:
        self._pieces = (head + b"content-length: %d\r\n\r\n%s" % (len(body), body)).split(PLACEHOLDER, 1)
        self._number = time.monotonic_ns() // 1000
        if vary != (len(self._pieces) > 1):
            raise SystemExit(f"--vary goes with a body that has {PLACEHOLDER.decode()!r} in it, and with no other")

    def next(self) -> bytes:
        """Return the bytes to send."""
        self._number += 1
        return (b"%016d" % self._number).join(self._pieces)


class Load:
    """What the connections share: the requests that are due, and what was seen."""

    def __init__(self, request: Request, span: Span) -> None:
        self.seen = Seen()
        self.span = span
        self._request = request
        self._idle: deque[Connection] = deque()
        self._waiting: deque[float] = deque()

    def ready(self, connection: Connection) -> None:
        """Give a connection that is free its next request, or let it wait for one."""
        now = time.monotonic()
        if now >= self.span.end:
            return
        if not self.span.rate:
            self._send(connection, now)
        elif self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection in self._idle:
            self._idle.remove(connection)

    async def keep_pace(self) -> None:
        """Hand out requests at the rate, until the end."""
        due = time.monotonic()
        while due < self.span.end:
            await asyncio.sleep(due - time.monotonic())
            # From when the timer rang: its own lateness is not the server's.
            if self._idle:
                self._send(self._idle.popleft(), time.monotonic())
            else:
                self._waiting.append(time.monotonic())
            due += 1 / self.span.rate

    def _send(self, connection: Connection, due: float) -> None:
        self.seen.issued += 1
        connection.send(self._request.next(), due)


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._due: float | None = None
        self._first: float | None = None
        self._stamps = 0
        self.closed = asyncio.get_running_loop().create_future()

    @property
    def is_measured(self) -> bool:
        """Tell whether its request was due after the measurement began."""
        return self._due is not None and self._due >= self._load.span.begin

    @property
    def is_busy(self) -> bool:
        """Tell whether a request is under way."""
        return self._due is not None

    @property
    def events(self) -> int:
        """Return how many events of the answer under way have come: each has one stamp between two signs."""
        return self._stamps // 2

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at that time."""
        self._due, self._first, self._stamps = due, None, 0
        self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._load.ready(self)

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Note a piece of the answer."""
        if self._first is None:
            self._first = time.monotonic()
        self._stamps += body.count(b"@")
        if self.is_measured:
            now = time.monotonic() * 1000
            # A stamp that two reads tear apart is counted as an event, and its way is not.
            self._load.seen.events_ms += [now - int(stamp) / 1000 for stamp in STAMP.findall(body)]

    def on_message_complete(self) -> None:
        """Note the answer, and go on to the next request."""
        if self._due is not None and self.is_measured:
            self._note(self._due, self._parser.get_status_code())
        self._due = None
        self._load.ready(self)

    def _note(self, due: float, status: int) -> None:
        seen = self._load.seen
        if status // 100 != 2:
            seen.non2xx += 1
            seen.s429 += status == 429
            return
        seen.ok += 1
        seen.events += self.events
        seen.latencies_ms.append((time.monotonic() - due) * 1000)
        if self._first is not None:
            seen.first_bytes_ms.append((self._first - due) * 1000)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count what was lost with the connection."""
        del exc
        self._load.seen.errors += self.is_measured
        self._due = None
        self._load.lost(self)
        self.closed.set_result(None)


async def _stay_connected(load: Load, port: int, delay_s: float, connections: set[Connection]) -> None:
    """Keep one connection open until the end."""
    await asyncio.sleep(delay_s)
    loop = asyncio.get_running_loop()
    while time.monotonic() < load.span.end:
        try:
            _, connection = await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
        except OSError:
            load.seen.errors += 1
        else:
            connections.add(connection)
            await connection.closed
            connections.discard(connection)
        await asyncio.sleep(RECONNECT_S)


async def run(load: Load, port: int, delays_s: list[float]) -> Seen:
    """Put the load on a port until its end; a delay for each connection. Return what was seen."""
    connections: set[Connection] = set()
    tasks = [asyncio.ensure_future(_stay_connected(load, port, delay, connections)) for delay in delays_s]
    if load.span.rate:
        tasks.append(asyncio.ensure_future(load.keep_pace()))
    await asyncio.sleep(load.span.end - time.monotonic())
    for task in tasks:
        task.cancel()
    load.seen.unfinished = sum(connection.is_busy for connection in connections)
    load.seen.events += sum(connection.events for connection in connections if connection.is_measured)
    return load.seen


def percentiles(values: list[float]) -> dict[str, float]:
    """Return the 50th, 95th and 99th percentile, 0 where there are fewer than two values."""
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else [0.0] * 99
    return {"n": len(values), "p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def report(seen: Seen, seconds: float) -> dict[str, object]:
    """Return what was seen, for the one who asked."""
    names = ("issued", "unfinished", "ok", "non2xx", "s429", "errors", "events")
    counts = {name: getattr(seen, name) for name in names}
    rates = {"rps": seen.ok / seconds, "events_per_s": seen.events / seconds}
    ways = {"ms": seen.latencies_ms, "ttfb_ms": seen.first_bytes_ms, "event_ms": seen.events_ms}
    latencies = {name: percentiles(values) for name, values in ways.items()}
    return {"seconds": seconds, **counts, **rates, **latencies}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/v1/chat/completions")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--header", action="append", default=[], metavar="NAME: VALUE")
    parser.add_argument("--conns", type=int, default=16)
    parser.add_argument("--duration", type=float, default=5.0)
    parser.add_argument("--warmup", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--stagger-ms", type=float, default=0.0)
    parser.add_argument("--vary", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Put the load on, and print what was seen."""
    options = _options()
    lines = [f"POST {options.path} HTTP/1.1", f"host: 127.0.0.1:{options.port}", "content-type: application/json"]
    head = "".join(f"{line}\r\n" for line in [*lines, *options.header]).encode()
    begin = time.monotonic() + options.warmup
    request = Request(head, options.body.read_bytes(), vary=options.vary)
    load = Load(request, Span(begin, begin + options.duration, options.rate))
    delays_s = [options.stagger_ms / 1000 * n / options.conns for n in range(options.conns)]
    print(json.dumps(report(uvloop.run(run(load, options.port, delays_s)), options.duration)))


if __name__ == "__main__":
    main()
