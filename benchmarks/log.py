"""The processor time that the log takes of a request: both of its rows, from where they are recorded until on disk.

    python benchmarks/log.py [--rounds 5] [--requests 6000] [--work 100] [--folder .]

An event loop does `--work` microseconds of something else for each request and never rests, on one core, as that of a
gateway which is busy; what is told is what the process takes more where it also records each request's decision and
outcome: the median over the rounds, and the least. The writer's thread is part of it, and what both lose by wanting the
interpreter at once. Below that stands what the parts take by themselves. The rows are those of a request by a model's
name. `--folder` is on the disk to be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import uvloop
from servers import cores

from gateway.events import Attempt, Decision, Event, Outcome
from gateway.ids import uuid7
from gateway.recorder import MAX_BATCH, Recorder
from gateway.store import codec
from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNALS = {
    **dict.fromkeys(("agent.step", "agent.tools_offered", "history_tokens", "system_tokens"), 0.0),
    **dict.fromkeys(("agent.loop_open", "stream", "tools", "images", "structured", "length.exact"), False),
    **dict.fromkeys(("turns", "user_turns", "session.turn"), 1.0),
    **dict.fromkeys(("session.given", "session.continues"), False),
    "text_tokens": 234.0,
    "needs": (),
    "session": "4e9dfa54e60e1040536f802bc99450d9",
}
TRACE = {
    **dict.fromkeys(("rule", "tag", "data_class", "kept", "dial")),
    "policy": "a",
    "rules": [],
    "signals": SIGNALS,
    "projections": {},
    "defaults": {},
    "missed": [],
    "removed": {},
    "resting": [],
    "signal_ms": {"agent": 0.022, "context": 0.047, "length": 0.169, "needs": 0.149, "session": 0.118},
    "stage_ms": {"signals": 0.688, "rules": 0.057, "eligibility": 0.218, "route": 0.439},
}


def events_of(number: int, rng: Random) -> tuple[Decision, Outcome]:
    """Return what a request by a model's name leaves."""
    at = START + timedelta(microseconds=300 * number)
    request_id, caller = f"req_{rng.getrandbits(128):032x}", f"{rng.getrandbits(256):064x}"
    features = {**SIGNALS, "prompt_tokens": 238.0}
    decision = Decision(
        *(uuid7(at, rng), at, request_id, "a", "", "a", False, "a", "fixed", {"a": 1.0}, {}, features, None, None),
        trace=TRACE,
        caller=caller,
    )
    attempt = Attempt("a", at, 0.0030586840002797544, 200, None, "a@up")
    answered = (decision.id, at + timedelta(seconds=0.01), "a", 200, None, "stop", 20, 40, 0, Decimal("0.0001"), None)
    outcome = Outcome(*answered, 0.01326334998884704, (attempt,), cost_source="priced", cache_write_tokens=0)
    return decision, replace(outcome, reasoning_tokens=0, audio_prompt_tokens=0, audio_completion_tokens=0)


async def busy(recorder: Recorder | None, events: Sequence[Event], work: Callable[[], None]) -> float:
    """Return the microseconds of processor time that a request takes, with what it records or without."""
    before = time.process_time()
    for first in range(0, len(events), 2):
        work()
        for event in events[first : first + 2]:
            if recorder is not None:
                recorder.record(event)
            await asyncio.sleep(0)
    if recorder is not None:
        await recorder.aclose()
    return (time.process_time() - before) / len(events) * 2e6


def spinning(microseconds: float) -> Callable[[], None]:
    """Return what keeps the interpreter busy for so long, about."""

    def spin(turns: int = 1000) -> None:
        for turn in range(turns):
            kept[turn & 15] = turn

    kept: dict[int, int] = {}
    before = time.process_time()
    for _ in range(100):
        spin()
    turns = int(1000 * microseconds * 1e-6 / ((time.process_time() - before) / 100))
    return lambda: spin(turns)


def parts(folder: Path, events: Sequence[Event]) -> str:
    """Return what making the rows takes, and storing them by batches, alone and on one thread."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        store = SQLiteStore.open(Path(name) / "log.db")
        before = time.process_time()
        for event in events:
            codec.encode(event)
        between = time.process_time()
        for first in range(0, len(events), MAX_BATCH // 4):
            store.append(events[first : first + MAX_BATCH // 4])
        after = time.process_time()
        store.close()
    made, stored = ((end - start) / len(events) * 2e6 for start, end in ((before, between), (between, after)))
    return f"making both rows takes {made:.1f} us, making and storing them {stored:.1f} us"


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Print what the log takes."""
    rng, work = Random(0), spinning(options.work)  # noqa: S311 - ids of samples
    found, apart = [], []
    for _ in range(options.rounds):
        events = [event for number in range(options.requests) for event in events_of(number, rng)]
        with tempfile.TemporaryDirectory(dir=folder) as name:
            recorder = Recorder(
                SQLiteStore.open(Path(name) / "log.db"), on_dropped=print, on_error=print, max_queue=2 * len(events)
            )
            recorder.start()
            without = uvloop.run(busy(None, events, work))
            found.append(uvloop.run(busy(recorder, events, work)) - without)
        apart.append(parts(folder, events))
    print(f"the log takes {statistics.median(found):.0f} us a request ({min(found):.0f} at least)")
    print(min(apart, key=lambda line: float(line.split()[-2])))


def main() -> None:
    """Measure on one core."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 5), ("requests", 6000), ("work", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args()
    os.sched_setaffinity(0, {cores().measured})
    measure(options.folder, options)


if __name__ == "__main__":
    main()
