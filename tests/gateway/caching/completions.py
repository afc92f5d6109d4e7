"""Completions of all kinds for properties, and the streams that endpoints make of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from providers.adapters.openai import OpenAIAdapter
from providers.chat import parse_chat

ADAPTER = OpenAIAdapter()
DONE = b"data: [DONE]\n\n"
TEXTS = st.text(max_size=30)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def calls(n: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    function = st.fixed_dictionaries({"name": st.text(min_size=1, max_size=8), "arguments": TEXTS})
    call = st.fixed_dictionaries(
        {"id": st.text(min_size=1, max_size=8), "type": st.just("function"), "function": function}
    )
    return st.lists(call, min_size=1, max_size=n)


def messages() -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        "refusal": st.none() | TEXTS,
        "reasoning_content": TEXTS,
        "tool_calls": calls(3),
        "annotations": st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2),
        "unheard_of": NUMBERS | TEXTS,
    }
    return st.fixed_dictionaries({"role": st.just("assistant"), "content": st.none() | TEXTS}, optional=optional)


def choices() -> st.SearchStrategy[list[dict[str, Any]]]:
    token = st.fixed_dictionaries({"token": TEXTS, "logprob": NUMBERS})
    logprobs = st.none() | st.fixed_dictionaries({"content": st.lists(token, max_size=3)})
    choice = st.fixed_dictionaries(
        {"message": messages(), "finish_reason": st.sampled_from(["stop", "tool_calls", "length"])},
        optional={"logprobs": logprobs, "stop_reason": st.none() | TEXTS},
    )
    return st.lists(choice, min_size=1, max_size=3).map(
        lambda found: [{"index": n, **choice} for n, choice in enumerate(found)]
    )


def completions() -> st.SearchStrategy[dict[str, Any]]:
    usage = st.just({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8})
    fixed = {
        "id": st.text(min_size=1, max_size=8),
        "object": st.just("chat.completion"),
        "created": st.integers(1, 2**31),
        "model": st.text(min_size=1, max_size=8),
        "choices": choices(),
        "usage": usage,
    }
    return st.fixed_dictionaries(fixed, optional={"system_fingerprint": st.none() | TEXTS, "provider": TEXTS})


def event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def streamed(whole: dict[str, Any], *, usage: bool = True) -> list[bytes]:
    """Return a completion as the gateway streams it that came whole."""
    options = {"stream": True, "stream_options": {"include_usage": usage}}
    chat = parse_chat(json.dumps({"model": "m", "messages": [{"role": "user", "content": "?"}], **options}).encode())
    return ADAPTER.as_events(ADAPTER.decode(json.dumps(whole).encode()), chat)


def cut_up(draw: Any, whole: dict[str, Any]) -> list[bytes]:
    """Return a completion as endpoints stream it: texts in pieces, choices and calls taking turns, the usage last."""
    frame = {name: value for name, value in whole.items() if name not in ("choices", "usage", "object")}
    queues = [_pieces(draw, choice) for choice in whole["choices"]]
    events = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(event({**frame, "object": "chat.completion.chunk", "choices": [queue.pop(0)]}))
    return [*events, event({**frame, "choices": [], "usage": whole["usage"]}), DONE]


def _pieces(draw: Any, choice: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pieces of a choice: first the role and what is said at once, then texts, at last why it ended."""
    message = dict(choice["message"])
    texts = {name: message.pop(name) for name in ("content", "refusal", "reasoning_content") if name in message}
    called = message.pop("tool_calls", [])
    first = {name: None if text is None else "" for name, text in texts.items()}
    deltas = [{**message, **first}]
    deltas += [{name: piece} for name, text in texts.items() if text for piece in _cut(draw, text)]
    for n, call in enumerate(called):
        head = {**call, "index": n, "function": {"name": call["function"]["name"], "arguments": ""}}
        deltas.append({"tool_calls": [head]})
        pieces = _cut(draw, call["function"]["arguments"])
        deltas += [{"tool_calls": [{"index": n, "function": {"arguments": piece}}]} for piece in pieces]
    found = [{"index": choice["index"], "delta": delta, "finish_reason": None} for delta in deltas]
    rest = {name: value for name, value in choice.items() if name not in ("message", "logprobs")}
    if "logprobs" in choice:
        found[0]["logprobs"] = choice["logprobs"]
    return [*found, {**rest, "delta": {}}]


def _cut(draw: Any, text: str) -> list[str]:
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
