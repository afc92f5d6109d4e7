"""Reads a stream as clients do, for `fuzz.py`: was it an answer, or an error, and nothing in between?"""

from __future__ import annotations

import json
from typing import Any


class Wrong(Exception):
    """A client was told what none may be told."""


def check_told(content: bytes) -> str:
    """Return how a client's stream ended, `whole` or `broken`. Raises `Wrong` where it cannot be read."""
    if not content.endswith((b"\n\n", b"\n\r\n", b"\r\n\n", b"\r\r")):
        raise Wrong("the last event has no end")
    data = [line[5:].strip() for line in content.splitlines() if line.startswith(b"data:") and line[5:].strip()]
    if data[-1] == b"[DONE]":
        if b"[DONE]" in data[:-1] or not any(_finish(json.loads(one)) for one in data[:-1]):
            raise Wrong("an answer ended without a finish reason, or more than once")
        return "whole"
    if "error" not in json.loads(data[-1]):
        raise Wrong("an answer broke off without an error")
    for one in data[:-1]:
        _finish(json.loads(one))
    return "broken"


def _finish(chunk: dict[str, Any]) -> bool:
    """Read a chunk as clients do; tell whether it has a finish reason."""
    if chunk.get("error"):
        raise Wrong("an error in the middle")
    choices = chunk.get("choices") or []
    texts_of = [choice.get("delta", {}).get("content") or "" for choice in choices]
    if any(not isinstance(text, str | list) for text in texts_of):
        raise Wrong("a text that is none")
    return any(choice.get("finish_reason") for choice in choices)
