"""Measure what hedging does to waiting times, and what it costs: models that are slow now and then, on 127.0.0.1.

Run `python benchmarks/hedging.py`; `--requests` says how many each policy gets (800 by default, some four minutes in
all). A model begins its stream after a time drawn from a lognormal distribution (median 300 ms), and one time in fifty
it hangs for three to six seconds more. `docs/plans/hedging.md` has the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import httpx2
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from gateway.app import create_app
from gateway.application import Gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

MEDIAN_S, SPREAD = 0.3, 0.4
HANGS, HANG_S = 0.02, (3.0, 6.0)
PARALLEL = 8
#: Requests by which the gateway learns how long its models take.
WARM = 200
PRICE = {"input": 1, "output": 4}
POLICIES: dict[str, dict[str, float] | None] = {
    "no hedging": None,
    "percentile 99, 2 % of the requests": {"percentile": 99, "max_share": 0.02},
    "percentile 95, 5 % of the requests": {"percentile": 95, "max_share": 0.05},
    "percentile 90, 20 % of the requests": {"percentile": 90, "max_share": 0.2},
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What requests waited for the first event of their answers, in seconds, and what they cost."""

    waits_s: list[float]
    hedged: int
    usd: float

    def percentile_ms(self, percent: int) -> float:
        """Return a percentile of the waiting times in milliseconds."""
        return 1000 * statistics.quantiles(self.waits_s, n=100)[percent - 1]


def upstream(rng: Random) -> Starlette:
    """Return what plays the models."""

    async def events(model: str, wait_s: float) -> AsyncIterator[bytes]:
        await asyncio.sleep(wait_s)
        choice: dict[str, Any] = {
            "index": 0,
            "delta": {"role": "assistant", "content": "Hello."},
            "finish_reason": "stop",
        }
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}
        usage = {"prompt_tokens": 400, "completion_tokens": 100, "total_tokens": 500}
        yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
        yield b"data: " + json.dumps({**chunk, "choices": [], "usage": usage}).encode() + b"\n\ndata: [DONE]\n\n"

    async def chat(request: Request) -> StreamingResponse:
        model = json.loads(await request.body())["model"]
        wait_s = MEDIAN_S * rng.lognormvariate(0, SPREAD)
        if rng.random() < HANGS:
            wait_s += rng.uniform(*HANG_S)
        return StreamingResponse(events(model, wait_s), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application in a thread; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def write(folder: Path, url: str) -> Path:
    """Write the configuration; return the gateway's file."""
    router = {"type": "fixed", "model": "first"}
    for number, hedge in enumerate(POLICIES.values()):
        policy = {"name": f"p{number}", "router": router} | ({"hedge": hedge} if hedge else {})
        (folder / f"p{number}.yaml").write_text(yaml.safe_dump(policy))
    endpoint = {"vendor": "openai-compatible", "base_url": f"{url}/v1", "api_key": "k"}
    config = {
        "providers": {"one": endpoint, "two": endpoint},
        "models": {"first": {"provider": "one", "price": PRICE}, "second": {"provider": "two", "price": PRICE}},
        "store": {"type": "memory"},
        "policies": [f"p{number}.yaml" for number in range(len(POLICIES))],
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


async def measure(url: str, gateway: Gateway, model: str, requests: int) -> Measured:
    """Ask so often, a few at a time."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Say hello. " * 130}]}
    waits, turn = list[float](), asyncio.Semaphore(PARALLEL)

    async def ask(client: httpx2.AsyncClient) -> None:
        async with turn:
            began = time.monotonic()
            async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
                first = None
                async for _ in response.aiter_raw():
                    first = first or time.monotonic() - began
                waits.append(first or 0.0)

    async with httpx2.AsyncClient(timeout=60) as client:
        await asyncio.gather(*(ask(client) for _ in range(requests)))
    await asyncio.to_thread(wait_for_log, gateway)
    outcomes = [one.outcome for one in gateway.log.joined() if one.decision.policy == model and one.outcome]
    usd = sum(float(outcome.cost_usd or 0) for outcome in outcomes)
    return Measured(waits, sum(bool(outcome.calls) for outcome in outcomes), usd)


def wait_for_log(gateway: Gateway) -> None:
    """Return when all that was recorded is in the log."""
    while gateway.recorder.pending:
        time.sleep(0.01)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = Random(options.seed)  # noqa: S311 - what is played is to be the same each time
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateway = Gateway(write(folder, stack.enter_context(serving(upstream(rng)))), {})
        url = stack.enter_context(serving(create_app(gateway)))
        asyncio.run(measure(url, gateway, "first", WARM))
        print("| policy | p50 ms | p95 ms | p99 ms | mean ms | hedged | cost |\n|---|---|---|---|---|---|---|")
        base = 0.0
        for number, name in enumerate(POLICIES):
            found = asyncio.run(measure(url, gateway, f"p{number}", options.requests))
            base = base or found.usd
            times = " | ".join(f"{found.percentile_ms(percent):.0f}" for percent in (50, 95, 99))
            hedged, mean = found.hedged / options.requests, 1000 * statistics.fmean(found.waits_s)
            print(f"| {name} | {times} | {mean:.0f} | {hedged:.1%} | {found.usd / base - 1:+.1%} |", flush=True)


if __name__ == "__main__":
    main()
