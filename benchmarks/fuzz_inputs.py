"""Inputs for `fuzz.py`: valid ones, and what becomes of them when they are damaged, by bytes and by structure."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

#: Values that stand where others are expected.
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**70),
    10**400,
    0.0,
    -0.0,
    1e308,
    1e-320,
    "",
    "0",
    "null",
    "\x00",
    "\ud800",
    "\u2028",
    "é" * 300,
    "a" * 5000,
    [],
    {},
    [[]],
    [None],
    {"": None},
    [1, "a", {}],
    {"error": {}},
    {"a": {"b": {"c": []}}},
)
#: Texts that no value has.
RAW = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"[" * 3000,
    b'{"a":' * 500,
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"9" * 6000,
    b'"',
    b"\x00",
    b"}{",
)
#: Texts that mean something in an event stream, or nearly do.
SSE = (
    b"data: ",
    b"data:",
    b"\n\n",
    b"\r\n\r\n",
    b"\r",
    b"\n",
    b": ping\n\n",
    b"event: error\n",
    b"error: {}\n\n",
    b"data: [DONE]\n\n",
    b"data\n\n",
    b"id: 1\n",
    b"\xef\xbb\xbf",
    b"\xe2\x98",
    b"data: {}\n\n",
    b'data: {"error": {"message": "no", "code": 429}}\n\n',
    b'"finish_reason": "stop"',
    b'"choices": null',
    b'"delta": null',
    b'"usage": {"prompt_tokens": 1e99}',
    b"data: NaN\n\n",
)
#: A list that stands for a million others, by aliases of aliases.
LEVELS = [b"&l%d [%b]" % (n, b", ".join([b"*l%d" % (n - 1) if n else b"x"] * 9)) for n in range(8)]
BOMB = b"\nbomb: [" + b", ".join(LEVELS) + b"]\n"
#: Texts that mean something in YAML.
YAML = (
    b"&a ",
    b"*a",
    b"!!python/object:os.system ",
    b"!!binary x",
    b"!!timestamp 1",
    b"<<: *a\n",
    b"? ",
    b"- ",
    b": ",
    b"\t",
    b"---\n",
    b"...\n",
    b"%YAML 9.9\n",
    b"|\n  ",
    b">-\n",
    b"[",
    b"{",
    b"}",
    b"'",
    b'"',
    b"${HOME}",
    b"${NO_SUCH}",
    b"${X:-",
    b"~",
    b"0x1F",
    b"1_000",
    b".inf",
    b".nan",
    b"1:60",
    b"2001-01-01",
    b"\x00",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"[" * 2000,
    b"- " * 2000,
    BOMB,
)

TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}},
}
PNG = "data:image/png;base64,iVBORw0KGgo="
BODIES: tuple[dict[str, Any], ...] = (
    {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    {
        "model": "auto",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "stream": True,
    },
    {
        "model": "auto",
        "messages": [{"role": "user", "content": "x"}],
        "tools": [TOOL],
        "tool_choice": "auto",
        "n": 2,
        "seed": 1,
    },
    {
        "model": "ruled",
        "messages": [{"role": "user", "content": "Prove that 2 is prime."}],
        "temperature": 0.1,
        "max_tokens": 5,
    },
    {
        "model": "ruled",
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "what"}, {"type": "image_url", "image_url": {"url": PNG}}],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "done"},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
        "stream_options": {"include_usage": True},
        "metadata": {"pointsman": {"data_class": "public"}, "session": "s"},
        "reasoning_effort": "low",
        "max_completion_tokens": 7,
        "logprobs": True,
        "top_logprobs": 2,
        "user": "me",
        "pointsman": {"max_cost_usd": 1, "tags": ["a"]},
    },
)


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    body = {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
DONE = b"data: [DONE]\n\n"
STREAMS: tuple[tuple[bytes, ...], ...] = (
    (
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"content": "Hé"}),
        _chunk({"content": "llo"}),
        _chunk({}, "stop"),
        DONE,
    ),
    (b": ping\n\n", _chunk({"reasoning_content": "hm"}), _chunk({"content": "x"}, "length", usage=USAGE), DONE),
    (
        _chunk({"tool_calls": [CALL]}),
        _chunk({}, "tool_calls"),
        b'data: {"choices": [], "usage": ' + json.dumps(USAGE).encode() + b"}\n\n",
        DONE,
    ),
    (
        b'data: {"choices": [], "prompt_filter_results": []}\r\n\r\n',
        _chunk({"content": "a"}).replace(b"\n", b"\r\n"),
        _chunk({}, "stop"),
    ),
)


class Mutator:
    """Damages inputs; the same seed gives the same damage."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def body(self) -> bytes:
        """Return a request body."""
        body = json.loads(json.dumps(self._rng.choice(BODIES)))
        for _ in range(self._rng.choice((0, 1, 1, 2, 3))):
            self._spoil(body)
        text = json.dumps(body, ensure_ascii=self._rng.random() < 0.9).encode("utf-8", "surrogatepass")
        return text if self._rng.random() < 0.6 else self.bytes(text, RAW)

    def stream(self) -> list[bytes]:
        """Return an event stream, in the pieces that the network makes of it."""
        events = list(self._rng.choice(STREAMS))
        for _ in range(self._rng.choice((0, 0, 1, 2))):
            self._reorder(events)
        wire = b"".join(events)
        for _ in range(self._rng.choice((0, 1, 1, 2, 4))):
            wire = self.bytes(wire, SSE + RAW)
        return self._cut(wire)

    def yaml(self, texts: dict[str, bytes]) -> dict[str, bytes]:
        """Return configuration files, one of them damaged."""
        name = self._rng.choice(sorted(texts))
        text = texts[name]
        for _ in range(self._rng.choice((0, 1, 1, 2, 3))):
            text = self._lines(text) if self._rng.random() < 0.6 else self.bytes(text, YAML)
        return {**texts, name: text}

    def bytes(self, data: bytes, words: tuple[bytes, ...]) -> bytes:
        """Return bytes with one place changed: cut, doubled, replaced by a word, or by noise."""
        at = self._rng.randrange(len(data) + 1)
        to = min(len(data), at + self._rng.choice((0, 1, 2, 8, 64)))
        kind = self._rng.randrange(6)
        if kind == 0:
            return data[:at]
        if kind == 1:
            return data[:at] + data[to:]
        if kind == 2:
            return data[:to] + data[at:]
        if kind == 3:
            return data[:at] + self._rng.randbytes(max(1, to - at)) + data[to:]
        return data[:at] + self._rng.choice(words) + data[to:]

    def _spoil(self, value: Any) -> None:
        """Change one value somewhere inside."""
        while True:
            keys = list(value) if isinstance(value, dict) else list(range(len(value)))
            if not keys:
                return
            key = self._rng.choice(keys)
            inner = value[key]
            if isinstance(inner, dict | list) and inner and self._rng.random() < 0.7:
                value = inner
                continue
            if isinstance(value, dict) and self._rng.random() < 0.2:
                del value[key]
            else:
                value[key] = deepcopy(self._rng.choice(ODD))
            return

    def _reorder(self, events: list[bytes]) -> None:
        one, other = self._rng.randrange(len(events)), self._rng.randrange(len(events))
        kind = self._rng.randrange(4)
        if kind == 0:
            events[one], events[other] = events[other], events[one]
        elif kind == 1:
            events.insert(one, events[other])
        elif kind == 2 and len(events) > 1:
            del events[one]
        else:
            events.insert(one, self._rng.choice(SSE))

    def _cut(self, wire: bytes) -> list[bytes]:
        places = sorted(self._rng.randrange(len(wire) + 1) for _ in range(self._rng.choice((0, 0, 1, 3, 8))))
        edges = [0, *places, len(wire)]
        return [wire[a:b] for a, b in pairwise(edges) if b > a]

    def _lines(self, text: bytes) -> bytes:
        """Return YAML with a line gone, doubled, moved, indented otherwise, or with another value."""
        lines = text.split(b"\n")
        at, kind = self._rng.randrange(len(lines)), self._rng.randrange(5)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[self._rng.randrange(len(lines))])
        elif kind == 2:
            lines[at] = b" " * self._rng.randrange(9) + lines[at].lstrip()
        elif kind == 3:
            lines[at] = lines[at].partition(b":")[0] + b": " + self._rng.choice(YAML)
        else:
            odd = json.dumps(self._rng.choice(ODD), default=str).encode("utf-8", "surrogatepass")
            lines[at] = lines[at].partition(b":")[0] + b": " + odd
        return b"\n".join(lines)
