"""Feeds damaged requests, streams and configurations to the gateway, and stops at the first one that it cannot take.

Run `python benchmarks/fuzz.py --inputs 100000`. Of each hundred inputs 45 are request bodies and 45 are streams of an
endpoint, through the whole gateway in this process; 10 are configurations, through its own loader. It fails where a
request is answered with a 500 of the gateway's own, a client is told nonsense, an input takes longer than `--limit`
seconds, or memory has grown by more than `--memory` MB. The input at fault is written to `--out`, and repeated by
`--first N --inputs 1`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import httpx2
import uvloop
from fuzz_config import texts
from fuzz_inputs import Mutator
from fuzz_told import Wrong, check_told

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.app import create_app
from gateway.application import Gateway
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.endpoints.breaker import Breaker
from gateway.rehearsal import open_decider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CHAT = "/v1/chat/completions"
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\nconnection: close\r\n\r\n"
MESSAGE = {"role": "assistant", "content": "x"}
WHOLE = json.dumps({"choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]}).encode()
CHUNK = json.dumps({"choices": [{"index": 0, "delta": MESSAGE, "finish_reason": "stop"}]}).encode()
FINE = [b"data: " + CHUNK + b"\n\n", b"data: [DONE]\n\n"]
#: Inputs that are fed side by side: many wait.
AT_ONCE = 24
#: Inputs after which memory counts: by then everything is loaded that will be.
WARM = 2000


class Hung(BaseException):
    """An input took too long. (Nothing on the way may catch it.)"""


@dataclass
class Endpoint:
    """Sends a model's stream as it is told, piece by piece, and answers anything else."""

    streams: dict[str, list[bytes]] = field(default_factory=dict)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = json.loads(await reader.readexactly(length))
            writer.write(HEAD % (b"text/event-stream" if body.get("stream") else b"application/json"))
            for piece in self.streams.get(body["model"], FINE) if body.get("stream") else [WHOLE]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)  # so that the pieces come one by one
        except (ConnectionError, asyncio.IncompleteReadError, RuntimeError):
            pass  # the gateway hung up, as it may (uvloop calls that a RuntimeError)
        writer.close()


@dataclass
class Fuzz:
    """One of several that feed side by side: `model` is its own, and `sent` the input under way."""

    gateway: Gateway
    client: httpx2.AsyncClient
    endpoint: Endpoint
    folder: Path
    model: str
    seen: Counter[str]
    sent: bytes = b""

    async def one(self, number: int, mutator: Mutator) -> None:
        """Feed one input, to endpoints that have not failed yet. Raises `Wrong`, or whatever a defect raises."""
        for condition in self.gateway._fleet.conditions.values():  # noqa: SLF001 - inputs must not suffer from others
            condition.breaker = Breaker()
            condition.keys.clear()
        if number % 10 == 0:
            await self._yaml(mutator)
        elif number % 2:
            await self._body(mutator, "/v1/route" if number % 5 == 1 else CHAT)
        else:
            await self._stream(mutator)

    async def _body(self, mutator: Mutator, path: str) -> None:
        self.sent = mutator.body()
        self._check("body", await self.client.post(path, content=self.sent))

    async def _stream(self, mutator: Mutator) -> None:
        pieces = self.endpoint.streams[self.model] = mutator.stream()
        self.sent = b"\n--cut--\n".join(pieces)
        answer = await self.client.post(CHAT, json={**ASK, "model": self.model})
        self._check("stream", answer)
        if answer.is_success:
            self.seen[f"stream {check_told(answer.content)}"] += 1

    async def _yaml(self, mutator: Mutator) -> None:
        written = mutator.yaml(texts(1))
        self.sent = b"\n--file--\n".join(written.values())
        self.folder.mkdir(exist_ok=True)
        for name, text in written.items():
            (self.folder / name).write_bytes(text)
        try:
            files = read_files(self.folder / "gateway.yaml", {"HOME": "h"})
            async with open_decider(files, 50.0):
                self.seen["yaml taken"] += 1
        except ConfigError:
            self.seen["yaml refused"] += 1

    def _check(self, kind: str, answer: httpx2.Response) -> None:
        self.seen[f"{kind} {answer.status_code}"] += 1
        if answer.is_success:
            return
        error = answer.json()["error"]
        if error["code"] == "internal_error" or not isinstance(error["message"], str):
            raise Wrong(f"{answer.status_code}: {answer.text}")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[list[Fuzz]]:
    """Start the endpoint and the gateway."""
    endpoint, seen = Endpoint(), Counter[str]()
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    for name, text in texts(server.sockets[0].getsockname()[1], AT_ONCE).items():
        (folder / name).write_bytes(text)
    gateway = Gateway(folder / "gateway.yaml", {})
    await gateway.open()
    headers = {"authorization": "Bearer secret-1", "content-type": "application/json"}
    transport = httpx2.ASGITransport(create_app(gateway), raise_app_exceptions=False)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield [Fuzz(gateway, client, endpoint, folder / f"m{n}", f"m{n}", seen) for n in range(AT_ONCE)]
    finally:
        server.close()
        await gateway.aclose()


@dataclass
class Run:
    """All inputs: which is next, and what they cost."""

    options: argparse.Namespace
    numbers: Iterator[int]
    warm_mb: float = 0.0
    slowest: tuple[float, int] = (0.0, 0)

    async def feed(self, fuzz: Fuzz) -> None:
        """Feed inputs while there are any. Raises what the first one raises that is not taken."""
        for number in self.numbers:
            started = time.monotonic()
            try:
                async with asyncio.timeout(self.options.limit):
                    await fuzz.one(number, Mutator(Random(f"{self.options.seed}:{number}")))  # noqa: S311 - repeatable
            except BaseException as error:
                if not isinstance(error, asyncio.CancelledError):
                    self.options.out.write_bytes(fuzz.sent)
                    print(f"input {number} ({self.options.out}): {type(error).__name__}: {error}", file=sys.stderr)
                raise
            self.slowest = max(self.slowest, (time.monotonic() - started, number))
            if number == self.options.first + WARM:
                self.warm_mb = memory_mb()

    async def watch(self) -> None:
        """Let an alarm ring where the event loop does not come round for as long as an input may take."""
        signal.signal(signal.SIGALRM, _hung)
        while True:
            signal.setitimer(signal.ITIMER_REAL, self.options.limit)
            await asyncio.sleep(self.options.limit / 4)

    def report(self, seconds: float, seen: Counter[str]) -> None:
        """Print what came of it. Raises `SystemExit` where memory has grown."""
        grown_mb = memory_mb() - self.warm_mb if self.warm_mb else 0.0
        said = {"inputs": self.options.inputs, "seconds": round(seconds, 1), "grown_mb": round(grown_mb, 1)}
        slowest = {"slowest_s": round(self.slowest[0], 3), "slowest": self.slowest[1]}
        print(json.dumps({**said, **slowest, **dict(sorted(seen.items()))}))
        if grown_mb > self.options.memory:
            raise SystemExit(f"memory grew by {grown_mb:.0f} MB")


def memory_mb() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _hung(_number: int, _frame: object) -> None:
    raise Hung


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Feed all inputs, several side by side."""
    began = time.monotonic()
    whole = Run(options, iter(range(options.first, options.first + options.inputs)))
    watch = asyncio.ensure_future(whole.watch())
    async with opened(folder) as fuzzes:
        async with asyncio.TaskGroup() as group:
            for fuzz in fuzzes:
                group.create_task(whole.feed(fuzz))
        whole.report(time.monotonic() - began, fuzzes[0].seen)
    watch.cancel()
    signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=5.0, help="seconds for one input")
    parser.add_argument("--memory", type=float, default=200.0, help="MB that memory may grow by")
    parser.add_argument("--out", type=Path, default=Path("fuzz-input"))
    options = parser.parse_args()
    # A defect is logged with its trace; all else that happens to requests is expected here.
    logging.getLogger("pointsman").addFilter(lambda record: record.exc_info is not None)
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(run(options, Path(folder)))


if __name__ == "__main__":
    main()
