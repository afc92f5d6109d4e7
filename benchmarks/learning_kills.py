"""Kills the learner, or the gateway, at random moments under load with feedback: nothing is lost, nothing counts twice.

Run `python benchmarks/learning_kills.py --kills 50`. Clients ask, rate the answers, change their minds and take
ratings back. After each `kill -9` the log is read: it fails where feedback that was acknowledged (202) is not there, or
what was deleted is. In the end the learner's sums are compared, bit for bit, with those of a new learner that reads the
whole log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx2
import uvloop
import yaml
from chaos_rig import Server, gateway, more_files, upstream

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.config.files import read_files
from gateway.learning.book import Book
from gateway.learning.counting import Pupil
from gateway.learning.learner import Learner
from gateway.learning.lock import Lock, LogTaken
from gateway.learning.places import beside
from gateway.learning.service import Service
from gateway.learning.subjects import rules_of, subjects_of
from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from gateway.config.files import Files
    from gateway.learning.share import Share
    from routers.observations import Summing

POLICY = {"pool": ["a", "b"], "router": {"type": "epsilon_greedy", "min_epsilon": 0.3}}
PATIENCE_S = 20.0


@dataclass
class Kills:
    """The clients, and what the gateway has acknowledged to them."""

    front: Server
    folder: Path
    rng: random.Random
    rated: set[str] = field(default_factory=set)
    #: Of what was to be deleted, nobody knows whether it was, unless it was acknowledged.
    undecided: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    killed: Counter[str] = field(default_factory=Counter)

    async def round(self, clients: int, longest_s: float) -> None:
        """Put load on the gateway, and kill it, or its learner, at a random moment."""
        await asyncio.to_thread(self._await_learner)
        stop = asyncio.Event()
        base = f"http://127.0.0.1:{self.front.port}/v1"
        async with httpx2.AsyncClient(base_url=base, timeout=5.0, trust_env=False) as http:
            load = [asyncio.ensure_future(self._client(http, stop)) for _ in range(clients)]
            await asyncio.sleep(self.rng.uniform(0.3, longest_s))
            await asyncio.to_thread(self._kill)
            stop.set()
            await asyncio.gather(*load)

    def _kill(self) -> None:
        learner = self._learner()
        if learner is not None and self.rng.random() < 0.5:
            self.killed["learner"] += 1
            os.kill(learner, signal.SIGKILL)
        else:
            self.killed["gateway"] += 1
            self.front.kill()

    def _await_learner(self) -> None:
        while self._learner() is None:
            time.sleep(0.05)

    def _learner(self) -> int | None:
        """Return the learner's process, a child of the gateway's; None where it has none at the moment."""
        if self.front.popen is None:
            return None
        gateway_pid = self.front.popen.pid
        children = Path(f"/proc/{gateway_pid}/task/{gateway_pid}/children").read_text().split()
        return next((int(child) for child in children if _is_learner(int(child))), None)

    async def _client(self, http: httpx2.AsyncClient, stop: asyncio.Event) -> None:
        body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        while not stop.is_set():
            try:
                answer = await http.post("/chat/completions", json=body)
                if not answer.is_success:
                    continue
                for _ in range(self.rng.choice((0, 1, 1, 2))):
                    await self._rate(http, answer.headers["x-pointsman-decision-id"])
            except httpx2.TransportError:
                await asyncio.sleep(0.05)

    async def _rate(self, http: httpx2.AsyncClient, decision: str) -> None:
        score = self.rng.randrange(11) / 10
        key = {"idempotency-key": f"{self.rng.getrandbits(64):x}"}
        said = await http.post("/feedback", json={"decision_id": decision, "score": score}, headers=key)
        if said.status_code != httpx2.codes.ACCEPTED:
            return
        name = said.json()["id"]
        self.rated.add(name)
        if self.rng.random() < 0.2:
            self.undecided.add(name)
            answer = await http.delete(f"/feedback/{name}")
            if answer.is_success:
                self.deleted.add(name)

    def missing(self) -> list[str]:
        """Return what is wrong with the log: feedback that is not there, there twice, or there although deleted."""
        with closing(SQLiteStore.open(self.folder / "log.db", read_only=True)) as store:
            stored = Counter(one.id for entry in store.joined() for one in entry.feedback)
        lost = [f"{one} is lost" for one in self.rated - self.undecided if not stored[one]]
        back = [f"{one} was deleted, and is there" for one in self.deleted if stored[one]]
        return lost + back + [f"{one} is there {count} times" for one, count in stored.items() if count > 1]


def _is_learner(pid: int) -> bool:
    try:
        return b"learn" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def compared(folder: Path) -> tuple[list[str], Share]:
    """Let the learner that was killed so often finish; return how it differs from a new one, and what it learned."""
    path = folder / "gateway.yaml"
    files = read_files(path, {})
    wait_for(beside(files).lock)
    Service(path, {}, threading.Event()).run(once=True)
    with closing(Book.open(beside(files).book)) as book:
        old = book.progress("auto")
    new = fresh(files)
    if old is None or old.share.fingerprint() != new.fingerprint():
        rows = None if old is None else old.share.rows
        return [f"the learner has counted {rows} answers, a new one {new.rows}, and their sums differ"], new
    return [], new


def wait_for(lock: Path) -> None:
    """Wait for the end of the last learner, whose gateway was killed."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return Lock.take(lock).release()
        except LogTaken:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def fresh(files: Files) -> Share:
    """Return what a new learner learns from the whole log."""
    rules = rules_of(files)
    with (
        closing(SQLiteStore.open(beside(files).log, read_only=True)) as log,
        closing(Book.open(Path(":memory:"))) as book,
    ):
        subjects = subjects_of(files, rules)
        pupils = [Pupil(subject, cast("Summing", subject.new_router())) for subject in subjects]
        learner = Learner(log, book, pupils, rules)
        while learner.step():
            pass
        learner.recap("auto", learner.progress("auto").share.masses)
        return learner.progress("auto").share


def play(options: argparse.Namespace, folder: Path) -> list[str]:
    """Kill as often as asked for; return what is wrong."""
    more_files()
    behind = [upstream(name, folder, chunks=2, interval_ms=2) for name in ("a", "b")]
    front = gateway(folder, behind, learning={"interval_s": 0.05})
    (folder / "auto.yaml").write_text(yaml.safe_dump({"name": "auto", **POLICY}))
    kills = Kills(front, folder, random.Random(options.seed))  # noqa: S311 - a seed, not a secret
    wrong: list[str] = []
    began = time.monotonic()
    try:
        for one in behind:
            one.server.start()
        for _ in range(options.kills):
            if front.popen is None or front.popen.poll() is not None:
                front.start()
            uvloop.run(kills.round(options.clients, options.longest))
            wrong += kills.missing()
    finally:
        front.kill()
        for one in behind:
            one.server.kill()
    differing, share = compared(folder)
    report = {"killed": dict(kills.killed), "rated": len(kills.rated), "deleted": len(kills.deleted)}
    counted = {"answers_counted": share.rows, "wrong": len(wrong + differing)}
    print(json.dumps({**report, **counted, "seconds": round(time.monotonic() - began, 1)}))
    return wrong + differing


def main() -> None:
    """Print the report; end with 1 where something was lost, or counted twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--longest", type=float, default=2.5, help="seconds of load before a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = play(options, Path(folder))
    for said in wrong[:20]:
        print(f"kills: {said}", file=sys.stderr)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
