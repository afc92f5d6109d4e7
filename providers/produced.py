"""What an endpoint has sent of an answer: kept to be counted later, if the endpoint does not count itself."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from providers.sse import event_data
from providers.types import Produced

if TYPE_CHECKING:
    from providers.alike import Alike

#: Bytes of a stream's events that are kept. A stream's events are alike: of a longer one the beginning is a sample.
KEPT_BYTES = 131_072
#: How deep texts are looked for in the parts of a message.
DEPTH = 6


class ProducedEvents:
    """The data of a stream's events: the first `KEPT_BYTES` of them, whole events only, and the length of all.

    Nothing is parsed before it is asked for: most streams report their usage, and then nobody asks.
    """

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._bytes = 0
        # Of events that are alike in all but their texts the texts are kept: a twentieth of the memory.
        self._alike: Alike | None = None
        self._texts = bytearray()

    def add(self, payload: bytes) -> None:
        """Take in the data of one event."""
        self._bytes += len(payload)
        if self._kept_bytes < KEPT_BYTES:
            self._keep_texts()
            self._kept.append(payload)
            self._kept_bytes += len(payload)

    def add_alike(self, alike: Alike, text: bytes, size: int) -> None:
        """Take in the text of an event that is like others, whose data is `size` bytes long."""
        self._bytes += size
        if self._kept_bytes < KEPT_BYTES:
            if alike is not self._alike:
                self._keep_texts()
                self._alike = alike
            self._texts += text
            self._kept_bytes += size

    def produced(self) -> Produced:
        """Return the text of the events that were kept, and their share of all bytes."""
        self._keep_texts()
        texts: dict[object, list[str]] = defaultdict(list)
        for payload in self._kept:
            for index, text in _texts(payload):
                texts[index].append(text)
        share = self._kept_bytes / self._bytes if self._bytes else 1.0
        return Produced("\n".join(map("".join, texts.values())), share)

    def _keep_texts(self) -> None:
        """Keep the texts of events that were alike as the one event that says them all."""
        if self._alike is not None:
            self._kept.append(event_data(self._alike.with_text(bytes(self._texts))) or b"")
            self._alike, self._texts = None, bytearray()


def whole_answer(body: bytes) -> Produced:
    """Return the text of a complete answer: as if it had come in one event, so that it counts the same."""
    events = ProducedEvents()
    events.add(body)
    return events.produced()


def _texts(payload: bytes) -> list[tuple[object, str]]:
    """Return what a chunk or an answer says, each with its choice's index; what is no JSON says nothing."""
    try:
        choices = json.loads(payload).get("choices")
    except (ValueError, AttributeError, RecursionError):
        return []
    if not isinstance(choices, list):
        return []
    return [
        (str(choice.get("index")), text)
        for choice in choices
        if isinstance(choice, dict)
        for text in _said(choice.get("delta") or choice.get("message"))
    ]


def _said(message: Any) -> list[str]:
    """Return the texts of a message or of a piece of one: reasoning, content, and calls of tools."""
    if not isinstance(message, dict):
        return []
    # Some endpoints give the reasoning under both of its names.
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    said = [text for part in (reasoning, message.get("content"), message.get("refusal")) for text in _strings(part)]
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    functions.append(message.get("function_call"))
    for function in functions:
        if isinstance(function, dict):
            said += [text for key in ("name", "arguments") for text in _strings(function.get(key))]
    return said


def _strings(value: Any, depth: int = DEPTH) -> list[str]:
    """Return the texts of a content: a text, or parts that hold one as `text` or `thinking`."""
    if isinstance(value, str):
        return [value]
    if depth == 0:
        return []
    if isinstance(value, list):
        return [text for part in value for text in _strings(part, depth - 1)]
    if isinstance(value, dict):
        return _strings(value.get("text") or value.get("thinking"), depth - 1)
    return []
