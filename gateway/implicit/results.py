"""Whether the result of a tool says that the call has failed: by its members, not by its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.signals.request import objects, texts_of
from providers.strict_json import InvalidJson, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Results that are longer are not read.
MAX_CHARACTERS: Final = 16_384
#: Members that are true where a call failed.
_MARKS: Final = ("is_error", "isError")
#: Members that say what went wrong, where something did.
_ERRORS: Final = ("error", "errors")
_NOTHING: Final = frozenset({"none", "null", "false", "0"})


def tells_failure(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether one of these messages is the result of a tool that failed."""
    return any(_failed(message) for message in messages if message.get("role") in ("tool", "function"))


def _failed(message: Mapping[str, Any]) -> bool:
    parts = [message, *objects(message.get("content"))]
    if any(part.get(mark) is True for part in parts for mark in _MARKS):
        return True
    return any(_is_error(text) for text in texts_of(message.get("content")))


def _is_error(text: str) -> bool:
    """Tell whether a text is a JSON object that holds an error."""
    if len(text) > MAX_CHARACTERS or text.lstrip()[:1] != "{":
        return False
    try:
        value = parse(text.strip().encode(errors="replace"))
    except InvalidJson:
        return False
    if any(value.get(mark) is True for mark in _MARKS):
        return True
    said = [value.get(name) for name in _ERRORS]
    return any(what for what in said if not (isinstance(what, str) and what.lower() in _NOTHING))
