"""Kills the gateway at random moments under load, again and again: what it has acknowledged must still be there.

Run `python benchmarks/kills.py --times 50`. Clients ask, and send feedback on every answer; after `kill -9` the log is
read, and the gateway is started on it again. It fails where feedback that was acknowledged (202) is not in the log, or
is there twice, or where the gateway does not start again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from chaos_rig import Server, ask, gateway, more_files, upstream

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.store.sqlite import SQLiteStore

LOST_S = 10.0


@dataclass
class Kills:
    """The clients, and what the gateway has acknowledged to them."""

    front: Server
    folder: Path
    clients: int
    rng: random.Random
    acknowledged: list[str] = field(default_factory=list)
    answered: int = 0

    async def round(self, number: int, longest_s: float) -> None:
        """Put load on the gateway, and kill it at a random moment."""
        stop = asyncio.Event()
        load = [asyncio.ensure_future(self._client(f"r{number}-c{n}", stop)) for n in range(self.clients)]
        await asyncio.sleep(self.rng.uniform(0.2, longest_s))
        await asyncio.get_running_loop().run_in_executor(None, self.front.kill)
        stop.set()
        await asyncio.gather(*load)

    async def _client(self, name: str, stop: asyncio.Event) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "stream": True}
            answer = await ask(
                self.front.port, "/v1/chat/completions", body, {"x-request-id": f"{name}-{turn}"}, LOST_S
            )
            decision = answer.headers.get("x-pointsman-decision-id")
            if answer.outcome != "whole" or decision is None:
                continue
            self.answered += 1
            opinion = {"decision_id": decision, "score": 0.5}
            receipt = await ask(self.front.port, "/v1/feedback", opinion, {"idempotency-key": name}, LOST_S)
            if receipt.whole and receipt.status == 202:
                self.acknowledged.append(json.loads(receipt.body)["id"])

    def missing(self) -> list[str]:
        """Return what is wrong with the log: feedback that is not there, or twice."""
        store = SQLiteStore.open(self.folder / "log.db", read_only=True)
        try:
            stored = Counter(one.id for entry in store.joined() for one in entry.feedback)
        finally:
            store.close()
        lost = [f"{one} is lost" for one in self.acknowledged if not stored[one]]
        return lost + [f"{one} is there {count} times" for one, count in stored.items() if count > 1]


def play(options: argparse.Namespace, folder: Path) -> list[str]:
    """Kill as often as asked for; return what is wrong."""
    more_files()
    behind = upstream("a", folder, chunks=2, interval_ms=5)
    kills = Kills(gateway(folder, [behind]), folder, options.clients, random.Random(options.seed))  # noqa: S311
    behind.server.start()
    wrong: list[str] = []
    began = time.monotonic()
    try:
        for number in range(options.times):
            kills.front.start()
            uvloop.run(kills.round(number, options.longest))
            wrong += kills.missing()
    finally:
        kills.front.kill()
        behind.server.kill()
    report = {"kills": options.times, "answered": kills.answered, "acknowledged": len(kills.acknowledged)}
    print(json.dumps({**report, "wrong": len(wrong), "seconds": round(time.monotonic() - began, 1)}))
    return wrong


def main() -> None:
    """Print the report; end with 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--longest", type=float, default=1.5, help="seconds of load before a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = play(options, Path(folder))
    for said in wrong[:20]:
        print(f"kills: {said}", file=sys.stderr)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
