"""What it costs to overhear: for an event of a stream, and for a request with a history, beside what relaying costs.

    OMP_NUM_THREADS=1 python benchmarks/overhearing.py

Times are medians of several runs, in microseconds. An event is compared with what the stream's decoder takes to check
and relay the same one; a request with what reading its body takes.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.caching.assembly import Assembly
from gateway.events import Outcome
from gateway.implicit.answer import Gathered
from gateway.implicit.look import Note
from gateway.implicit.memory import LocalMemory
from gateway.implicit.rules import ImplicitRules
from gateway.implicit.watch import Watch
from gateway.quotas.types import Holder
from providers.adapters.openai_stream import OpenAIStreamDecoder
from providers.chat import parse_chat

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS, RUNS, REQUESTS = 2000, 15, 200
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "The quick brown fox jumps over the lazy dog and looks for its way home. "


def event(text: str) -> bytes:
    """Return an event as OpenAI writes them."""
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    head = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk", "created": 1_700_000_000}
    body = {**head, "model": "gpt-5-nano", "system_fingerprint": "fp_0123", "choices": [choice]}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def median_us(work: Callable[[], object], each: int) -> float:
    """Return how long a piece of the work takes."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) / each * 1e6)
    return statistics.median(times)


def streams() -> None:
    """Print what an event costs."""
    events = [event(" word\n" if n % 20 == 0 else f" word{n}") for n in range(EVENTS)]

    def decoded() -> None:
        decoder = OpenAIStreamDecoder(withhold_usage=False, choices=1)
        for one in events:
            list(decoder.feed(one))

    def taken(make: Callable[[], Any], name: str) -> None:
        taker = make()
        take = getattr(taker, name)
        for one in events:
            take(one)

    base = median_us(decoded, EVENTS)
    rows = {
        "relayed (decoder alone)": base,
        "overheard": median_us(lambda: taken(Gathered, "event"), EVENTS),
        "overheard, several choices": median_us(lambda: taken(lambda: Gathered(2), "event"), EVENTS),
        "put together for the cache": median_us(lambda: taken(lambda: Assembly(10**8), "add"), EVENTS),
    }
    for name, cost in rows.items():
        print(f"event: {name:30} {cost:8.2f} us   {cost / base:6.2f} of relaying")


def request_of(turns: int) -> tuple[bytes, Any]:
    """Return a body with that many turns, and the request as it is overheard."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": WORDS * 10} for n in range(2 * turns - 1)]
    raw = json.dumps({"model": "auto", "messages": messages}).encode()
    chat = parse_chat(raw)
    holder, headers = Holder(user="ann"), SimpleNamespace(headers={})
    ask = SimpleNamespace(chat=chat, identity="key", holder=holder, request=headers)
    decision = SimpleNamespace(id=UUID(int=0), at=NOW, features={}, caller="key", policy="auto")
    return raw, SimpleNamespace(ask=ask, decision=decision, routed=None)


def requests() -> None:
    """Print what a request and its answer cost, once it is their turn: nobody waits for it."""
    gathered = Gathered()
    gathered.event(event(WORDS * 20))
    outcome = Outcome(UUID(int=0), NOW, "m", 200, None, "stop", 1, 1, 0, None, None, 1.0, ())
    for turns in (1, 5, 25, 100):
        raw, request = request_of(turns)

        async def looked(request: Any = request) -> None:
            watch = Watch(LocalMemory(600), lambda _: None, lambda: None)
            running = asyncio.ensure_future(watch.run())
            for n in range(REQUESTS):
                request.decision = SimpleNamespace(**{**vars(request.decision), "id": UUID(int=n)})
                watch.note(Note(ImplicitRules(), request))
                watch.note(Note(ImplicitRules(), request, gathered, replace(outcome, decision_id=UUID(int=n))))
            await watch.settle()
            running.cancel()

        read = median_us(lambda raw=raw: [parse_chat(raw) for _ in range(20)], 20)
        cost = median_us(lambda looked=looked: asyncio.run(looked()), REQUESTS)
        print(f"request: {turns:3} turns, {len(raw) / 1e3:6.1f} kB {cost:10.1f} us   {cost / read:6.2f} of reading it")


if __name__ == "__main__":
    streams()
    requests()
