"""Check that two processes on one Redis admit exactly a quota's amount, and time what a reservation takes.

Run `python benchmarks/quotas.py [runs]`; it needs `redis-server`. Each run has 200 clients, half in either process, who
begin together and make a thousand requests; each asks for one of a quota of N requests, and settles or releases it. The
latencies are beside a bare PING over the same connection, taken in turn; the machine's own noise is in both.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from gateway.quotas import Estimate, Holder, MemoryLedger, Quota, QuotaExceeded, Quotas
from gateway.quotas.shared import shared_ledger
from gateway.sharing.link import Link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUNS = 50
PROCESSES = 2
CLIENTS = 100
REQUESTS = 5
ROUNDS = 2000
PATIENCE_S = 10.0
USD = 10**9
#: What a gateway with budgets and limits claims for one request.
CLAIMED = (
    Quota("month", "team", "usd", 10**6 * USD, "month"),
    Quota("fast", "key", "requests", 10**6, "minute"),
    Quota("tokens", "key", "tokens", 10**9, "minute"),
    Quota("parallel", "key", "concurrent", 100, None),
    Quota("model", "model", "usd", 10**6 * USD, "day"),
)
HOLDER = Holder(key="k", team="t")
ESTIMATE = Estimate(500, 10**6)


@contextmanager
def redis() -> Iterator[str]:
    """Serve a Redis on a free port; yield its address."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise SystemExit("redis-server is not installed: `make redis` installs Debian's")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
            server.wait(PATIENCE_S)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit("redis-server does not listen")


async def work(url: str, name: str) -> None:
    """Be one of the processes: for each line read, run the clients against that quota, and print how many passed."""
    link = Link(url, prefix="bench:", timeout_s=PATIENCE_S)
    quotas = Quotas([], shared_ledger(link, replica=name, away="closed"), longest_s=600)
    for number, line in enumerate(iter(sys.stdin.readline, "")):
        quota = Quota(f"run-{line.split()[0]}", "everyone", "requests", int(line.split()[1]), "day")
        quotas.replace([quota], longest_s=600)
        rng = Random(number)  # noqa: S311 - no secret
        passed = await asyncio.gather(*(_client(quotas, Random(rng.random())) for _ in range(CLIENTS)))  # noqa: S311
        print(json.dumps(sum(passed)), flush=True)
    await link.aclose()


async def _client(quotas: Quotas, rng: Random) -> int:
    """Make requests, one after another; return how many passed and were settled. One in ten fails, and is released."""
    passed = 0
    for _ in range(REQUESTS):
        try:
            grant = await quotas.reserve(HOLDER, "m", ESTIMATE, AT)
        except QuotaExceeded:
            continue
        if rng.random() < 0.1:
            await grant.release(AT)
        else:
            await grant.settle(1, 1, AT)
            passed += 1
    return passed


def exact(url: str, runs: int) -> list[tuple[int, int]]:
    """Return for each run how many should have passed, and how many did."""
    command = [sys.executable, __file__, "--work", url]
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen([*command, f"process-{n}"], stdin=pipe, stdout=pipe, text=True) for n in range(PROCESSES)
    ]
    rng, found = Random(0), []  # noqa: S311 - no secret
    for run in range(runs):
        # Fewer than are asked for, so that each quota is used up also where one in ten gives its part back.
        amount = rng.randrange(1, PROCESSES * CLIENTS * REQUESTS // 2)
        for worker in workers:
            worker.stdin.write(f"{run} {amount}\n")
            worker.stdin.flush()
        found.append((amount, sum(json.loads(worker.stdout.readline()) for worker in workers)))
    for worker in workers:
        worker.stdin.close()
        worker.wait(PATIENCE_S)
    return found


async def latencies(url: str) -> dict[str, float]:
    """Return the median microseconds of a PING, and of reserving and settling, in memory and in Redis."""
    link = Link(url, prefix="latency:", timeout_s=PATIENCE_S)
    ledgers = {"memory": MemoryLedger(), "redis": shared_ledger(link, replica="latency", away="closed")}
    sides = {name: Quotas(CLAIMED, ledger, longest_s=600) for name, ledger in ledgers.items()}
    times: dict[str, list[float]] = {}

    async def timed(name: str, action: Callable[[], Awaitable[object]]) -> object:
        begun = time.perf_counter()
        result = await action()
        times.setdefault(name, []).append((time.perf_counter() - begun) * 1e6)
        return result

    for _ in range(ROUNDS):
        await timed("PING", lambda: link.ask(lambda client: client.ping()))
        for name, quotas in sides.items():
            await timed(f"{name}: reserve and settle, of 5 quotas", lambda quotas=quotas: _request(quotas))
    await link.aclose()
    return {name: statistics.median(values) for name, values in times.items()}


async def _request(quotas: Quotas) -> None:
    grant = await quotas.reserve(HOLDER, "m", ESTIMATE, AT)
    await grant.settle(400, 900_000, AT)


def main() -> None:
    """Print both results; end with an error where a quota admitted more or less than it has."""
    if sys.argv[1:2] == ["--work"]:
        asyncio.run(work(*sys.argv[2:4]))
        return
    with redis() as url:
        medians = asyncio.run(latencies(url))
        runs = exact(url, int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
    for name, median in medians.items():
        print(f"{name:36} {median:8.0f} us {median / medians['PING']:6.2f} x PING")
    wrong = [(amount, passed) for amount, passed in runs if amount != passed]
    print(f"{len(runs) - len(wrong)} of {len(runs)} runs exact ({PROCESSES} processes, {PROCESSES * CLIENTS} clients)")
    if wrong:
        raise SystemExit(f"admitted, where so many were to be: {wrong}")


if __name__ == "__main__":
    main()
