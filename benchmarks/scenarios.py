"""How the load is put on, and what one measurement takes down."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rig import varied_load
from servers import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rig import Rig
    from targets import Target

Kind = Literal["requests", "latency", "beside", "streams", "long", "huge", "overload"]

#: Requests a second at which latency is measured where each prompt is embedded, unless the rate is lower anyway.
VARIED_RATE = 20
#: Connections where each prompt takes a model of its own: what is under way when the time is up is lost to the count.
VARIED_CONNECTIONS = 4
#: How long before a measurement the other load is begun: to start its generator takes half a second of the core that
#: the generator of the measurement needs, too.
LEAD_S = 1.0
#: A load generator that has not ended this long after it should have is ended.
GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a load: connections (by default those asked for), and how long it is put on."""

    connections: int | None = None
    #: How much longer than `--seconds` it takes: percentiles and whole streams need it.
    stretch: float = 1.0
    warmup_s: float = 0.3
    least_s: float = 0.0
    #: Whether requests come at a rate, or each when the last is answered.
    at_rate: bool = False
    #: Share of the time over which the connections begin.
    stagger: float = 0.0
    #: Seconds over which they begin before anything is measured.
    ramp_s: float = 0.0

    def seconds(self, asked: float) -> float:
        """Return how long it is put on where so many seconds were asked for."""
        return max(asked * self.stretch, self.least_s)


SHAPES: dict[Kind, Shape] = {
    # Long enough for what is begun and not done at the end to weigh little, also with a slow gateway.
    "requests": Shape(least_s=4.0),
    "latency": Shape(connections=32, stretch=1.5, at_rate=True),
    "beside": Shape(connections=32, stretch=1.5, at_rate=True),
    # Streams that begin together stay in step, and their events come in bursts.
    "streams": Shape(connections=500, stretch=2.0, least_s=6.0, warmup_s=0.0, stagger=0.2),
    "long": Shape(least_s=3.0),
    "huge": Shape(connections=8, least_s=3.0),
    "overload": Shape(connections=2000, stretch=2.0, least_s=4.0, warmup_s=0.0, ramp_s=1.0),
}


class LoadFailed(Exception):
    """The load generator failed."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load generator, the core it runs on, and how much it is asked to do."""

    rig: Rig
    core: int
    seconds: float
    connections: int
    rate: float
    folder: Path

    def limit_s(self, kind: Kind) -> float:
        """Return the seconds after which a measurement has failed."""
        shape = SHAPES[kind]
        return shape.seconds(self.seconds) + shape.warmup_s + shape.ramp_s + GRACE_S

    def command(self, target: Target, kind: Kind) -> list[str]:
        """Return the load generator's command line."""
        body, shape = self.folder / f"{target.name}-{kind}.json", SHAPES[kind]
        body.write_bytes(target.body(kind))
        program = (*varied_load(), "--vary") if target.varies else self.rig.load
        seconds = shape.seconds(self.seconds)
        connections = shape.connections or self.connections * target.processes
        if target.varies and not target.is_fast:
            connections = min(connections, VARIED_CONNECTIONS)
        command = [*program, "--port", str(target.port), "--path", target.path, "--body", str(body)]
        warmup_s, stagger_s = shape.warmup_s + shape.ramp_s, shape.ramp_s or seconds * shape.stagger
        command += ["--duration", str(seconds), "--warmup", str(warmup_s), "--conns", str(connections)]
        command += ["--stagger-ms", str(1000 * stagger_s)] if stagger_s else []
        command += ["--rate", str(min(self.rate, VARIED_RATE) if target.varies else self.rate)] if shape.at_rate else []
        for name, value in target.headers:
            command += ["--header", f"{name}: {value}"]
        return command


@dataclass(frozen=True, slots=True)
class Measurement:
    """One target under one load: the load generator's report, and the seconds of processor time that it cost."""

    target: str
    kind: Kind
    round: int
    cpu_s: float
    wall_s: float
    load: dict[str, Any]

    @property
    def requests_per_cpu_s(self) -> float | None:
        """Return how many requests a second of processor time was enough for; those that failed are none."""
        done = self.load["issued"] - self.load["unfinished"] - self.failed
        return max(0, done) / self.cpu_s if self.cpu_s else None

    @property
    def events_per_cpu_s(self) -> float | None:
        """Return how many events a second of processor time was enough for."""
        return self.load["events"] / self.cpu_s if self.cpu_s and self.load.get("events") else None

    @property
    def refused(self) -> int:
        """Return how many requests were answered with 429."""
        return int(self.load["s429"])

    @property
    def failed(self) -> int:
        """Return how many requests were not answered with success; those refused under overload are not among them."""
        failed = sum(int(self.load.get(name, 0)) for name in ("non2xx", "errors", "timeouts"))
        return failed - self.refused if self.kind == "overload" else failed

    def as_json(self) -> dict[str, Any]:
        """Return it for the file of results."""
        derived = {"requests_per_cpu_s": self.requests_per_cpu_s, "events_per_cpu_s": self.events_per_cpu_s}
        return {**asdict(self), **derived, "failed": self.failed}


def measure(load: Load, target: Target, kind: Kind, number: int) -> Measurement:
    """Put the load on a target, which alone may run. Raises `LoadFailed`."""
    command = load.command(target, kind)
    with _alone(target), _beside(load, target, kind):
        cpu_s, started = _cpu_s(target), time.monotonic()
        with pinned(load.core):
            ended = subprocess.run(command, capture_output=True, text=True, timeout=load.limit_s(kind), check=False)
        cpu_s, wall_s = _cpu_s(target) - cpu_s, time.monotonic() - started
    if ended.returncode:
        raise LoadFailed(f"{' '.join(command)}: {ended.stderr}")
    return Measurement(target.name, kind, number, cpu_s, wall_s, json.loads(ended.stdout))


@contextmanager
def _alone(target: Target) -> Iterator[None]:
    """Let a target run: before, until nothing is left over from its start, and afterwards until all is done."""
    if target.server is None:
        yield
        return
    target.server.resume()
    target.server.settle()
    try:
        yield
        target.server.settle()
    finally:
        target.server.pause()


@contextmanager
def _beside(load: Load, target: Target, kind: Kind) -> Iterator[None]:
    """Put another load on the same server meanwhile: requests whose prompts are embedded."""
    if kind != "beside" or target.beside is None:
        yield
        return
    longer = replace(load, seconds=load.seconds + LEAD_S)
    with pinned(load.core):
        other = subprocess.Popen(longer.command(target.beside, "latency"), stdout=subprocess.DEVNULL)
    try:
        time.sleep(LEAD_S)
        yield
    finally:
        other.wait(load.limit_s(kind))


def _cpu_s(target: Target) -> float:
    return target.server.cpu_s() if target.server is not None else 0.0
