"""How much a learner holds up decisions: none, one in a thread of the same process, one in a process of its own.

Run `python benchmarks/learning_latency.py`. An event loop decides every two milliseconds; meanwhile the learner reads a
log of some thousand rated answers, again and again. It prints how long after its time each decision was made.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.config.files import WrittenRouter
from gateway.config.learning_models import PolicyLearningConfig
from gateway.config.loader import Document
from gateway.learning.book import Book
from gateway.learning.counting import Pupil
from gateway.learning.learner import Learner
from gateway.learning.subjects import Rules, Subject
from gateway.store.samples import build_decision, build_feedback, build_outcome
from gateway.store.sqlite import SQLiteStore
from routers.registry import build_router
from routers.types import Candidate, Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPEC = {"type": "cluster_bandit"}
POOL = [Candidate("small"), Candidate("large")]
EVERY_S = 0.002


def fill(path: Path, count: int, rng: np.random.Generator) -> None:
    """Write a log."""
    log = SQLiteStore.open(path)
    for first in range(0, count, 500):
        events = []
        for n in range(first, first + 500):
            embedding = rng.standard_normal(384).astype("<f4").tobytes()
            said = {"kind": "score", "value": float(rng.random()), "model": None, "other": None, "caller": ""}
            events += [build_decision(n, embedding=embedding, rule=None), build_outcome(n)]
            events += [build_feedback(f"{n}", n, **said)]
        log.append(events)
    log.close()


def learn(path: Path, stopped: Callable[[], bool]) -> None:
    """Read the log again and again, and take in what came of it."""
    written = WrittenRouter("auto", SPEC, Document(path, {}, {}), ("router",), path, None)
    subject = Subject("auto", "d", written, PolicyLearningConfig(), online=True, ways=frozenset({("auto", None)}))
    log = SQLiteStore.open(path, read_only=True)
    while not stopped():
        router = build_router(SPEC)
        with contextlib.closing(Book.open(Path(":memory:"))) as book:
            learner = Learner(log, book, [Pupil(subject, router)], Rules())  # type: ignore[arg-type]
            while learner.step() and not stopped():
                router.absorb(learner.progress("auto").share.sums, 0.0)  # type: ignore[attr-defined]


async def late(seconds: float) -> list[float]:
    """Decide every two milliseconds; return how long after its time each decision was made, in milliseconds."""
    router, rng = build_router(SPEC), random.Random(0)  # noqa: S311 - a seed
    context = Context("hello", 2, np.random.default_rng(0).standard_normal(384).astype(np.float32))
    found, due = [], time.perf_counter()
    for _ in range(round(seconds / EVERY_S)):
        due = max(due + EVERY_S, time.perf_counter())
        await asyncio.sleep(due - time.perf_counter())
        next(router.plan(context, POOL, rng))
        found.append(1000 * (time.perf_counter() - due))
    return found


@contextlib.contextmanager
def nobody(_path: Path) -> Iterator[None]:
    """Learn nothing."""
    yield


@contextlib.contextmanager
def in_thread(path: Path) -> Iterator[None]:
    """Learn in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=learn, args=(path, stop.is_set))
    thread.start()
    yield
    stop.set()
    thread.join()


@contextlib.contextmanager
def in_process(path: Path) -> Iterator[None]:
    """Learn in a process, which gives way to others as `pointsman learn` does."""
    process = multiprocessing.get_context("spawn").Process(target=_give_way, args=(path,), daemon=True)
    process.start()
    time.sleep(3)
    yield
    process.kill()
    process.join()


def _give_way(path: Path) -> None:

    os.nice(10)
    learn(path, lambda: False)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--decisions", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        fill(path, options.decisions, np.random.default_rng(0))
        for way in (nobody, in_thread, in_process, nobody, in_thread, in_process):
            with way(path):
                found = asyncio.run(late(options.seconds))
            p50, p95, p99 = np.percentile(found, [50, 95, 99])
            print(
                f"{way.__name__:12} p50 {p50:6.2f} ms  p95 {p95:6.2f} ms  p99 {p99:6.2f} ms  max {max(found):6.1f} ms"
            )


if __name__ == "__main__":
    main()
