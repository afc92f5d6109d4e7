"""Puts pieces together: members that are said once, texts that come in parts, calls of tools by their index."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Members of a delta whose texts come in pieces.
_TEXTS: Final = frozenset({"content", "refusal", "reasoning_content", "reasoning"})
#: What says nothing, and may be followed by something.
EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
#: Choices, and calls of tools within one, beyond which a stream is nonsense.
_MOST_INDEX: Final = 1024


class Ambiguous(ValueError):
    """A stream from which no one whole follows; the message says why."""


class _Calls(dict[int, dict[str, Any]]):
    """Calls of tools by their index, while they come."""


def add_delta(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Take in a piece of a message. Raises `Ambiguous`."""
    for name, value in delta.items():
        if name in _TEXTS:
            _append(message, name, value)
        elif name == "tool_calls":
            _add_calls(message, value)
        elif name == "function_call":
            _add_function(message, name, value)
        elif name == "role":
            once(message, name, value)
        else:
            _only(message, name, value)


def _add_calls(message: dict[str, Any], calls: list[dict[str, Any]] | None) -> None:
    """Take in pieces of calls, by their index; they are kept by it until the whole is made."""
    if calls is None:
        message.setdefault("tool_calls", None)
        return
    if message.get("tool_calls") is None:
        message["tool_calls"] = _Calls()
    kept = message["tool_calls"]
    for call in calls:
        if "index" not in call:
            raise Ambiguous("a call of a tool has no index")
        whole = kept.setdefault(index_of(call), {})
        for name, value in call.items():
            if name == "function":
                _add_function(whole, name, value)
            elif name != "index":
                once(whole, name, value)


def _add_function(kept: dict[str, Any], name: str, piece: Mapping[str, Any] | None) -> None:
    """Take in a piece of a function's name and arguments."""
    if piece is None:
        kept.setdefault(name, None)
        return
    if kept.get(name) is None:
        kept[name] = {}
    for part, value in piece.items():
        if part == "arguments":
            _append(kept[name], part, value)
        else:
            once(kept[name], part, value)


def add_logprobs(choice: dict[str, Any], logprobs: Mapping[str, Any] | None) -> None:
    """Take in log probabilities: lists of tokens, which follow each other."""
    if logprobs is None:
        choice.setdefault("logprobs", None)
        return
    kept = choice["logprobs"] = choice.get("logprobs") or {}
    for name, value in logprobs.items():
        if isinstance(value, list):
            kept[name] = (kept.get(name) or []) + value
        else:
            once(kept, name, value)


def _append(kept: dict[str, Any], name: str, value: Any) -> None:
    """Take in a piece of a text."""
    if value is None:
        kept.setdefault(name, None)
    elif not isinstance(value, str):
        raise Ambiguous(f"{name!r} is no text")
    else:
        if kept.get(name) is None:
            kept[name] = StringIO()
        kept[name].write(value)


def once(kept: dict[str, Any], name: str, value: Any) -> None:
    """Take in a member that may be said again, but not otherwise; an empty value says nothing."""
    held = kept.setdefault(name, value)
    if held in EMPTY and value is not None:
        kept[name] = value
    elif value not in EMPTY and value != held:
        raise Ambiguous(f"{name!r} is {held!r:.40}, then {value!r:.40}")


def _only(kept: dict[str, Any], name: str, value: Any) -> None:
    """Take in a member of which nobody knows whether it comes in pieces: with a value, it may come but once."""
    if value not in EMPTY and kept.get(name) not in EMPTY:
        raise Ambiguous(f"{name!r} comes in pieces, or repeatedly")
    once(kept, name, value)


def index_of(member: Mapping[str, Any]) -> int:
    index = member.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= _MOST_INDEX:
        raise Ambiguous(f"{index!r} is no index")
    return index


def finished(value: Any) -> Any:
    """Return what was collected with its texts as texts, and its calls as a list."""
    if isinstance(value, StringIO):
        return value.getvalue()
    if isinstance(value, _Calls):
        return [finished(call) for _, call in sorted(value.items())]
    return {name: finished(part) for name, part in value.items()} if isinstance(value, dict) else value
