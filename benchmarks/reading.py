"""Measure what it takes to read: a request's body, the signals that every decision reads, an event of a stream.

    python benchmarks/reading.py

Processor time of one core in microseconds, the least of several runs, beside what `json.loads` takes for the same text;
and the function calls that are made, builtins included.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import timeit
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.metrics import Metrics
from gateway.signals.agent import Agent
from gateway.signals.base import NOBODY, Request
from gateway.signals.context import ConversationContext
from gateway.signals.extract import Readings, Signals
from gateway.signals.length import Length
from gateway.signals.metadata import Metadata
from gateway.signals.needs import Needs
from gateway.signals.request import Prompt
from gateway.signals.session import Session
from providers.adapters.openai_stream import OpenAIStreamDecoder
from providers.chat import parse_chat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RUNS, EVENTS, LONG = 15, 1000, 100_000
AT = datetime(2026, 1, 1, tzinfo=UTC)
ALWAYS, AGAIN = frozenset({"length", "context", "needs", "session", "agent"}), frozenset({"length"})
WORDS = "The quick brown fox jumps over the lazy dog, and looks for 12 ways home. "


def text(characters: int) -> str:
    """Return a text of so many characters."""
    return (WORDS * (characters // len(WORDS) + 1))[:characters]


def body(characters: int, turns: int = 1) -> Mapping[str, Any]:
    """Return a conversation of so many characters in so many turns."""
    said = text(characters // turns)
    return {"model": "m", "messages": [{"role": ("user", "assistant")[n % 2], "content": said} for n in range(turns)]}


def agent(rounds: int) -> Mapping[str, Any]:
    """Return the conversation of an agent that has called a tool so many times."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": text(500)}]
    for n in range(rounds):
        call = {"id": f"c{n}", "type": "function", "function": {"name": "read", "arguments": '{"path": "a.py"}'}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{n}", "content": text(400)},
        ]
    tools = [{"type": "function", "function": {"name": f"t{n}", "description": text(200)}} for n in range(6)]
    return {"model": "m", "messages": messages, "tools": tools}


BODIES = {
    "1 KB, one message": body(1000),
    "1 KB, Russian": {"model": "m", "messages": [{"role": "user", "content": ("Пожалуйста, кратко. " * 50)[:1000]}]},
    "32 KB, one message": body(32_000),
    "32 KB, 21 turns": body(32_000, 21),
    "1 MB, one message": body(10**6),
    "1 MB, 201 turns": body(10**6, 201),
    "7 KB, 10 calls of tools, 6 tools": agent(10),
}


def event(said: str, number: int = 0, **more: Any) -> bytes:
    """Return an event as OpenAI writes them."""
    choice = {"index": 0, "delta": {"content": said}, "logprobs": None, "finish_reason": None}
    head = {"id": f"chatcmpl-{number:05}", "object": "chat.completion.chunk", "created": 1_700_000_000}
    chunk = {**head, "model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def usage(count: int) -> Mapping[str, int]:
    """Return what an endpoint reports that tells its counts in each chunk."""
    return {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": count + 5}


STREAMS = {
    "alike but for the text": [event(f" word{n % 10}") for n in range(EVENTS)],
    "padded, as OpenAI's are": [event(f" word{n % 10}", obfuscation="abcdefgh"[: n % 8]) for n in range(EVENTS)],
    "sixteen at once": [b"".join(event(f" word{n % 10}") for n in range(16)) for _ in range(EVENTS // 16)],
    "no two alike": [event(f" word{n % 10}", n) for n in range(EVENTS)],
    "with usage in each": [event(f" word{n % 10}", usage=usage(n)) for n in range(EVENTS)],
}


def least_us(work: Callable[[], object], each: int) -> float:
    """Return what a piece of the work takes."""
    times = timeit.repeat(work, number=each, repeat=RUNS, timer=process_time)
    return min(times) / each * 1e6


def calls(work: Callable[[], object]) -> int:
    """Return how many functions it calls."""
    work()  # what is made once is there
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


def read_signals(signals: Signals, found: Mapping[str, Any]) -> None:
    """Read them as a decision does: all, and once more those that its router wants."""
    prompt, readings = Prompt(found), Readings()
    request = Request(found, prompt.user_text, AT, {}, NOBODY, prompt)
    for wanted in (ALWAYS, AGAIN):
        if not signals.extract_now(request, wanted, readings):
            raise SystemExit("a signal has to be waited for")


def requests() -> None:
    """Print what bodies and signals take."""
    read = (Length(), ConversationContext(), Needs(), Session(), Agent(), Metadata())
    signals = Signals(read, None, 1.0, Metrics())
    print("| request | `json.loads` | body | signals | calls |\n| --- | ---: | ---: | ---: | ---: |")
    for name, found in BODIES.items():
        raw = json.dumps(found, ensure_ascii=False).encode()
        each = 20 if len(raw) > LONG else 200

        def look(found: Mapping[str, Any] = found) -> None:
            read_signals(signals, found)

        parsed = least_us(lambda raw=raw: json.loads(raw), each)
        checked = least_us(lambda raw=raw: parse_chat(raw), each)
        print(f"| {name} | {parsed:.1f} | {checked:.1f} | {least_us(look, each):.1f} | {calls(look)} |")


def relay(events: Sequence[bytes]) -> None:
    """Decode a stream."""
    decoder = OpenAIStreamDecoder(withhold_usage=False, choices=1)
    for one in events:
        list(decoder.feed(one))


def streams() -> None:
    """Print what events take."""
    chunk = STREAMS["alike but for the text"][0][6:-2]
    print(f"\n| events | us each; `json.loads`: {least_us(lambda: json.loads(chunk), EVENTS):.1f} |\n| --- | ---: |")
    for name, events in STREAMS.items():
        each = least_us(lambda events=events: relay(events), 1) / sum(one.count(b"\n\n") for one in events)
        print(f"| {name} | {each:.1f} |")


if __name__ == "__main__":
    requests()
    streams()
