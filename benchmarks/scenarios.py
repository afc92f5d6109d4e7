"""How the load is put on, and what one measurement takes down."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from rig import varied_load
from servers import CHAT_PATH, pinned

if TYPE_CHECKING:
    from pathlib import Path

    from rig import Rig
    from targets import Target

Kind = Literal["requests", "latency", "streams"]

WARMUP_S = 0.3
#: Requests a second at which latency is measured where each prompt is embedded, unless the rate is lower anyway.
VARIED_RATE = 20
#: Connections where each prompt is embedded: what is under way when the time is up is lost to the count.
VARIED_CONNECTIONS = 4
#: Streams that are open side by side; the upstream sends an event to each every 20 ms.
STREAMS = 100
#: How much longer than `--seconds` these take: percentiles and whole streams need it.
STRETCH: dict[Kind, float] = {"requests": 1.0, "latency": 1.5, "streams": 2.0}
#: A load generator that has not ended this long after it should have is ended.
GRACE_S = 20.0


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

    def command(self, target: Target, kind: Kind) -> list[str]:
        """Return the load generator's command line."""
        body = self.folder / f"{target.name}-{kind}.json"
        body.write_bytes(target.body(stream=kind == "streams"))
        program = (*varied_load(), "--vary") if target.varies else self.rig.load
        seconds = self.seconds * STRETCH[kind]
        command = [*program, "--port", str(target.port), "--path", CHAT_PATH, "--body", str(body)]
        command += ["--duration", str(seconds), *self._shape(target, kind, seconds)]
        for name, value in target.headers:
            command += ["--header", f"{name}: {value}"]
        return command

    def _shape(self, target: Target, kind: Kind, seconds: float) -> list[str]:
        if kind == "streams":
            # Streams that begin together stay in step, and their events come in bursts.
            return ["--conns", str(STREAMS), "--stagger-ms", str(400 * seconds)]
        connections = min(self.connections, VARIED_CONNECTIONS) if target.varies else self.connections
        shape = ["--conns", str(connections), "--warmup", str(WARMUP_S)]
        rate = min(self.rate, VARIED_RATE) if target.varies else self.rate
        return shape if kind == "requests" else [*shape, "--rate", str(rate)]


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
        """Return how many requests a second of processor time was enough for."""
        return (self.load["issued"] - self.load["unfinished"]) / self.cpu_s if self.cpu_s else None

    @property
    def events_per_cpu_s(self) -> float | None:
        """Return how many events a second of processor time was enough for."""
        return self.load["events"] / self.cpu_s if self.cpu_s and self.load.get("events") else None

    @property
    def failed(self) -> int:
        """Return how many requests were not answered with success."""
        return sum(int(self.load[name]) for name in ("non2xx", "errors"))

    def as_json(self) -> dict[str, Any]:
        """Return it for the file of results."""
        derived = {"requests_per_cpu_s": self.requests_per_cpu_s, "events_per_cpu_s": self.events_per_cpu_s}
        return {**asdict(self), **derived, "failed": self.failed}


def applies(kind: Kind, target: Target) -> bool:
    """Tell whether a target is measured in that way: varied prompts are for what embeds, and its comparison."""
    if kind == "streams":
        return not target.varies and target.name != "random"
    return kind == "latency" or not target.varies or target.server is not None


def measure(load: Load, target: Target, kind: Kind, number: int) -> Measurement:
    """Put the load on a target. Raises `LoadFailed`."""
    command = load.command(target, kind)
    limit_s = load.seconds * STRETCH[kind] + WARMUP_S + GRACE_S
    if target.server is not None:
        target.server.settle()
    cpu_s, started = _cpu_s(target), time.monotonic()
    with pinned(load.core):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    cpu_s, wall_s = _cpu_s(target) - cpu_s, time.monotonic() - started
    if ended.returncode:
        raise LoadFailed(f"{' '.join(command)}: {ended.stderr}")
    return Measurement(target.name, kind, number, cpu_s, wall_s, json.loads(ended.stdout))


def _cpu_s(target: Target) -> float:
    return target.server.cpu_s() if target.server is not None else 0.0
