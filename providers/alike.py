"""Recognises the events of a stream that differ from an earlier one in nothing but their text: most do.

They need not be parsed to be known: what stands around the text was read before, byte for byte, and the text is
checked. That takes about a microsecond, where to parse a chunk and to look through it takes ten.
"""

from __future__ import annotations

import re
from typing import Final

from providers.sse import plain_data

#: Where a chunk says its text.
_TEXT: Final = re.compile(
    rb'("(?:content|reasoning_content|reasoning|arguments)"): ?"((?!")[^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL
)
#: What OpenAI adds so that the lengths of events do not tell their texts; it is another one in each.
_PADDING: Final = re.compile(rb'"obfuscation": ?"([^"\\]*)"')
#: What a string of JSON may hold between its quotation marks (RFC 8259, section 7); it may be empty.
_STRING: Final = re.compile(rb'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')


class Alike:
    """Knows one event: what comes before its text, and after it up to its end, or to its padding and after that.

    `framing` is how many bytes of the event are not its data.
    """

    __slots__ = ("_after", "_before", "_end", "framing")

    def __init__(self, before: bytes, after: bytes, end: bytes | None, framing: int) -> None:
        self._before = before
        self._after = after
        self._end = end
        self.framing = framing

    def text(self, event: bytes) -> bytes | None:
        """Return the text of an event that is like the known one, as it stands in JSON; None of any other."""
        if not event.startswith(self._before):
            return None
        found = _STRING.match(event, len(self._before))
        if found is None or not event.startswith(self._after, at := found.end()):
            return None
        at += len(self._after)
        if self._end is not None:
            padding = _STRING.match(event, at)
            if padding is None or not event.startswith(self._end, at := padding.end()):
                return None
            at += len(self._end)
        return found[0] if at == len(event) and (event.isascii() or _is_utf8(event)) else None

    def with_text(self, text: bytes) -> bytes:
        """Return the event that says a text, which is as it stands in JSON."""
        return self._before + text + self._after + (self._end or b"")


def alike(event: bytes) -> Alike | None:
    """Return what knows the events that differ from this one, whose data is a valid chunk, in their text only.

    None where it is more than one line, says no text, or it is not certain which of its strings that is.
    """
    payload, found = plain_data(event), _TEXT.search(event)
    if payload is None or found is None:
        return None
    before, rest, framing = event[: found.start(2)], event[found.end(2) :], len(event) - len(payload)
    # Without a backslash every quotation mark begins or ends a string, so that no text can pass for a member.
    if b"\\" in before or b"\\" in rest or before.count(found[1]) + rest.count(found[1]) != 1:
        return None
    padding = _PADDING.search(rest)
    if padding is None:
        return Alike(before, rest, None, framing)
    return Alike(before, rest[: padding.start(1)], rest[padding.end(1) :], framing)


def _is_utf8(event: bytes) -> bool:
    try:
        event.decode()
    except UnicodeDecodeError:
        return False
    return True
