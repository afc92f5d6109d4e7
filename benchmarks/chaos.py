"""Many streams at once while endpoints are killed, stall and refuse, and Redis is restarted: what is lost?

Run `python benchmarks/chaos.py` (1,000 streams for 60 s), or smaller with `--streams 100 --seconds 15`. The gateway
runs in a process of its own before three endpoints. In the first third one is killed; then another one stalls; then the
third refuses, when the first one is back: at any time a healthy one lives. It fails where a client's request was lost
or refused, where a request has not exactly one outcome in the log, where the log's tokens are not the endpoints' own to
the token, or where memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from chaos_rig import Answer, Server, Upstream, ask, gateway, more_files, redis, upstream

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.store.sqlite import SQLiteStore

CHAT = "/v1/chat/completions"
#: A request that has not ended after so many seconds is lost.
LOST_S = 65.0
#: What memory may grow by from the second quarter to the last: the log's queue, and what arrives together.
GROWTH_MB = 40.0


@dataclass
class Chaos:
    """What is done to whom, and what came of it."""

    options: argparse.Namespace
    folder: Path
    upstreams: list[Upstream]
    front: Server
    redis: Server | None
    answers: dict[str, Answer] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Let all clients ask until the time is up, and things happen meanwhile."""
        until = time.monotonic() + self.options.seconds
        clients = [self._client(n, until) for n in range(self.options.streams)]
        await asyncio.gather(*clients, self._events(), self._watch(until))

    async def _client(self, number: int, until: float) -> None:
        rng = random.Random(number)  # noqa: S311 - a load wants seeded draws
        await asyncio.sleep(rng.random() * self.options.interval_ms * self.options.chunks / 1000)
        turn = 0
        while time.monotonic() < until:
            name, turn = f"c{number}-{turn}", turn + 1
            question = {"role": "user", "content": "x" * rng.randrange(1, 200)}
            body = {"model": "auto", "messages": [question], "stream": True, "user": name}
            self.answers[name] = await ask(self.front.port, CHAT, body, {"x-request-id": name}, LOST_S)

    async def _events(self) -> None:
        """Do to the endpoints what is to happen, each at its share of the time."""
        a, b, c = self.upstreams
        loop = asyncio.get_running_loop()
        plan = [
            (0.20, a.server.kill),
            (0.35, lambda: b.mode.write_text("stall")),
            (0.45, lambda: b.mode.write_text("ok")),
            (0.50, a.server.start),
            (0.55, self._restart_redis),
            (0.60, lambda: c.mode.write_text("limit")),
            (0.75, lambda: c.mode.write_text("ok")),
        ]
        began = time.monotonic()
        for share, act in plan:
            await asyncio.sleep(max(0.0, began + share * self.options.seconds - time.monotonic()))
            await loop.run_in_executor(None, act)

    def _restart_redis(self) -> None:
        if self.redis is not None:
            self.redis.kill()
            self.redis.start()

    async def _watch(self, until: float) -> None:
        while time.monotonic() < until:
            self.memory.append(self.front.memory_mb())
            await asyncio.sleep(0.5)


@dataclass(frozen=True)
class Judgement:
    """What is wrong; empty is good."""

    report: dict[str, Any]
    wrong: list[str]


def judge(chaos: Chaos, status: int) -> Judgement:
    """Compare what the clients got, what the log says, and what the endpoints charged."""
    ended = Counter(answer.outcome for answer in chaos.answers.values())
    store = SQLiteStore.open(chaos.folder / "log.db", read_only=True)
    try:
        entries = [one for one in store.joined() if one.decision.request_id in chaos.answers]
    finally:
        store.close()
    logged = Counter(entry.decision.request_id for entry in entries)
    charged = {user: tokens for one in chaos.upstreams for user, tokens in one.charged().items()}
    counted = {
        entry.decision.request_id: (entry.outcome.prompt_tokens, entry.outcome.completion_tokens)
        for entry in entries
        if entry.outcome is not None and entry.outcome.prompt_tokens is not None
    }
    # What an endpoint noted and did not get out before it was killed was never heard of by anybody.
    unheard = {user for user in charged.keys() - counted.keys() if chaos.answers[user].outcome == "told"}
    quarter = len(chaos.memory) // 4
    grown_mb = statistics.median(chaos.memory[-quarter:]) - statistics.median(chaos.memory[quarter : 2 * quarter])
    refused = sum(count for name, count in ended.items() if name.isdigit())
    checks = {
        f"{ended['lost']} requests were lost": ended["lost"] == 0,
        f"{refused} requests were refused": refused == 0,
        f"{len(chaos.answers) - len(logged)} requests are not in the log": len(logged) == len(chaos.answers),
        "a request is in the log twice": max(logged.values(), default=0) <= 1,
        "a request has no outcome": all(entry.outcome is not None for entry in entries),
        "the log's tokens are not the endpoints'": counted == {u: t for u, t in charged.items() if u not in unheard},
        "a whole answer has no count": all(u in counted for u, one in chaos.answers.items() if one.outcome == "whole"),
        f"memory grew by {grown_mb:.0f} MB": grown_mb < GROWTH_MB,
        f"the gateway ended with {status}": status == 0,
    }
    report = {
        "requests": len(chaos.answers),
        **{f"ended {name}": count for name, count in sorted(ended.items())},
        "tokens charged": sum(map(sum, charged.values())),
        "tokens in the log": sum(map(sum, counted.values())),
        "charged, unheard": len(unheard),
        "attempts": dict(Counter(one.error or "ok" for e in entries if e.outcome for one in e.outcome.attempts)),
        "memory_mb": [round(min(chaos.memory)), round(max(chaos.memory))],
        "grown_mb": round(grown_mb, 1),
    }
    return Judgement(report, [said for said, good in checks.items() if not good])


def play(options: argparse.Namespace, folder: Path) -> Judgement:
    """Start everything, let it happen, stop everything, and judge."""
    more_files()
    shape = {"chunks": options.chunks, "interval_ms": options.interval_ms}
    upstreams = [upstream(name, folder, **shape) for name in "abc"]
    shared = redis(folder)
    sections = {"redis": {"url": f"redis://127.0.0.1:{shared.port}/0"}} if shared else {}
    front = gateway(folder, upstreams, **sections)
    with ExitStack() as stack:
        for server in (*(one.server for one in upstreams), *([shared] if shared else []), front):
            server.start()
            stack.callback(server.kill)
        chaos = Chaos(options, folder, upstreams, front, shared)
        uvloop.run(chaos.run())
        return judge(chaos, front.stop())


def main() -> None:
    """Print the report; end with 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--chunks", type=int, default=10, help="events of a stream")
    parser.add_argument("--interval-ms", type=float, default=500, help="milliseconds between two of them")
    parser.add_argument("--folder", type=Path, help="where to leave the log; by default nowhere")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = options.folder or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        found = play(options, kept)
    print(json.dumps(found.report))
    for said in found.wrong:
        print(f"chaos: {said}", file=sys.stderr)
    raise SystemExit(1 if found.wrong else 0)


if __name__ == "__main__":
    main()
