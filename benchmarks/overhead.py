"""Measure what the gateway costs: beside a direct connection, nginx and other gateways, in the same run, in turns.

Run `make bench`, or `python benchmarks/overhead.py --help`. Everything is on 127.0.0.1, is bounded in time, and is
stopped at the end, also on Ctrl-C. `docs/performance.md` says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from footprint import memory_of_streams
from report import Results, tables
from rig import NoRig, Rig, Wanted, find_rig
from rivals import RIVALS, open_rivals
from scenarios import Kind, Load, LoadFailed, Measurement, measure
from servers import Cores, DidNotStart, await_answer, cores, free_port, get, running
from targets import Opening, Target, open_direct, open_nginx
from wanted import OURS, Judge
from yardsticks import yardsticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

NO_NGINX = "nginx is missing, and with it the comparison: apt-get install nginx-light"
#: The upstream ends by itself, should nobody be left to stop it.
UPSTREAM_TTL_S = 3600
#: What `--only` can name; the gateway and the direct connection are always measured.
NAMES = ("nginx", "static", "minilm", "workers", *(rival.name for rival in RIVALS))
#: What would make the figures better than they are.
COUNTERS = ("pointsman_events_dropped_total", "pointsman_signals_missed_total")
OURS_WITH_METRICS = (OURS, "static", "minilm")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the measurement takes place."""

    rig: Rig
    cores: Cores
    folder: Path


def start(stack: ExitStack, setting: Setting, only: frozenset[str]) -> list[Target]:
    """Start the upstreams and what is measured, and let nothing run of it yet. Raises `DidNotStart`."""
    folder, core = setting.folder, setting.cores.measured
    port, slow = _upstream(stack, setting, "upstream"), _upstream(stack, setting, "slow", "--interval-us", "500000")
    opening = Opening(stack, port, slow, folder / "gateway", core)
    targets = open_direct(port)
    for name, opened in _offers(stack, setting, opening, port).items():
        if not only or name in only or name == "gateway":
            targets += opened()
            for target in targets:
                if target.server is not None:
                    target.server.pause()
    if not only or only & {rival.name for rival in RIVALS}:
        targets += open_rivals(stack, port, folder / "rivals", core, only)
    for target in targets:
        if target.server is not None:
            target.server.pause()
    return targets


def _offers(stack: ExitStack, setting: Setting, opening: Opening, port: int) -> dict[str, Callable[[], list[Target]]]:
    """Return what can be started, by name."""

    def nginx() -> list[Target]:
        if program := shutil.which("nginx"):
            return open_nginx(stack, program, port, setting.folder / "nginx", setting.cores.measured)
        print(NO_NGINX)
        return []

    return {
        "nginx": nginx,
        "gateway": opening.plain,
        "static": lambda: opening.encoding("static"),
        "minilm": lambda: opening.encoding("minilm"),
        "workers": opening.workers,
    }


def _upstream(stack: ExitStack, setting: Setting, name: str, *options: str) -> int:
    """Start an upstream on the core of the load; return its port."""
    port = free_port()
    command = (*setting.rig.upstream, "--port", str(port), "--ttl", str(UPSTREAM_TTL_S), *options)
    log = setting.folder / f"{name}.log"
    upstream = stack.enter_context(running(command, setting.cores.load, log, setting.folder))
    await_answer(upstream, port, Target(name, name, port).body("requests"), {})
    return port


def run(load: Load, targets: Sequence[Target], rounds: int) -> list[Measurement]:
    """Measure all targets in all ways, forward in one round and backward in the next. Raises `LoadFailed`."""
    measurements = []
    for number in range(rounds):
        for kind in get_args(Kind):
            for target in targets[:: -1 if number % 2 else 1]:
                if kind in target.kinds:
                    progress(f"round {number + 1} of {rounds}: {kind}, {target.label}")
                    measurements.append(measure(load, target, kind, number))
    progress("")
    return measurements


def progress(line: str) -> None:
    """Show what is being done, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def counters(targets: Sequence[Target]) -> dict[str, float]:
    """Return those of the gateway's counters that would make its figures doubtful."""
    totals = dict.fromkeys(COUNTERS, 0.0)
    for target in targets:
        if target.server is None or target.name not in OURS_WITH_METRICS:
            continue
        target.server.resume()
        text = get(target.port, "/metrics").decode()
        for name in COUNTERS:
            totals[name] += sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)))
    return totals


def preface(setting: Setting, options: argparse.Namespace) -> str:
    """Return what was measured with what."""
    apart = "" if setting.cores.apart else " (one core for everything: expect wall-clock figures to be poor)"
    return (
        f"Rig: {setting.rig.name}. {os.cpu_count()} cores{apart}, one for what is measured, one for the load and the "
        f"upstream.\n{options.rounds} rounds of {options.seconds:g} s, {options.connections} connections, medians."
    )


def _names(text: str) -> frozenset[str]:
    names = frozenset(text.split(","))
    if strange := names - set(NAMES):
        raise argparse.ArgumentTypeError(f"no such target: {', '.join(sorted(strange))}; there are {', '.join(NAMES)}")
    return names


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement (default: 1)")
    parser.add_argument("--only", type=_names, default=frozenset(), metavar="NAMES", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=5, help="of all measurements (default: 5)")
    parser.add_argument("--connections", type=int, default=64, help="to each target (default: 64)")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second for latency (default: 100)")
    parser.add_argument("--rig", choices=get_args(Wanted), default="auto", help="mock upstream and load generator")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    return parser.parse_args(arguments)


def bench(options: argparse.Namespace) -> int:
    """Measure and print; return the exit status: 1 where requests failed."""
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-bench-")))
        setting = Setting(find_rig(options.rig, folder), cores(), folder)
        print(preface(setting, options))
        targets = start(stack, setting, options.only)
        load = Load(setting.rig, setting.cores.load, options.seconds, options.connections, options.rate, folder)
        measurements = run(load, targets, options.rounds)
        ours = next(target for target in targets if target.name == OURS)
        memory, failed = memory_of_streams(load, ours)
        found = yardsticks({kind: ours.body(kind) for kind in ("requests", "long", "huge")}, setting.cores.measured)
        doubts = {**counters(targets), "streams that failed while memory was measured": float(failed)}
    if options.json is not None:
        rows = [one.as_json() for one in measurements]
        options.json.write_text(json.dumps({"rig": setting.rig.name, "counters": doubts, "rows": rows}, indent=1))
    results = Results(measurements)
    print(f"\n{Judge(results, targets, found, memory).table()}\n\n{tables(results, targets)}\n")
    print(", ".join(f"{name}: {value:g}" for name, value in doubts.items()))
    print(f"{time.monotonic() - started:.0f} s in all")
    return 1 if any(one.failed for one in measurements) else 0


def stop(number: int, frame: FrameType | None) -> None:
    """Leave as on Ctrl-C, so that what was started is stopped."""
    del number, frame
    raise KeyboardInterrupt


def main() -> int:
    """Return the exit status."""
    signal.signal(signal.SIGTERM, stop)
    try:
        return bench(options_of(None))
    except (DidNotStart, LoadFailed, NoRig) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
