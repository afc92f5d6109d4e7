"""Server-sent events (WHATWG HTML, section 9.2), cut anywhere."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Final

#: An event ends with a blank line; lines end with LF, CRLF or CR.
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
#: What a line of an event may begin with: a comment, or a field that the standard knows. All else is no event stream.
_FIELD = re.compile(rb"(?:data|event|id|retry)?(?::|\Z)")
#: Only the very beginning of a stream may hold it.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: The data of the event that ends a stream of chat completions.
DONE: Final = b"[DONE]"
#: A single event may not be larger than this, so that an endpoint cannot fill the memory.
MAX_EVENT_BYTES = 32 * 1024 * 1024


class EventTooLarge(ValueError):
    """An event has grown beyond `MAX_EVENT_BYTES` without ending."""


class EventSplitter:
    """Cuts a stream of bytes into whole events, each with its closing blank line."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at_start = True

    @property
    def rest(self) -> bytes:
        """Return the bytes that no blank line has ended yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take in bytes and return the events that they complete.

        Raises `EventTooLarge`.
        """
        if self._buffer or self._at_start or b"\r" in data or not data.endswith(b"\n\n"):
            return self._joined(data)
        # Whole events and LF alone, as nearly always: there is nothing to keep.
        if data.find(b"\n\n") == len(data) - 2:
            return [data]
        return [event + b"\n\n" for event in data.split(b"\n\n")[:-1]]

    def _joined(self, data: bytes) -> list[bytes]:
        # Only what is new is searched, and the up to three bytes with which a blank line may have begun.
        start = max(0, len(self._buffer) - 3)
        self._buffer += data
        whole = []
        at = 0
        for end in _event_ends(bytes(self._buffer[start:])):
            whole.append(self._event(at, start + end))
            at = start + end
        del self._buffer[:at]
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"an event of more than {MAX_EVENT_BYTES} bytes")
        return whole

    def _event(self, start: int, end: int) -> bytes:
        event = bytes(self._buffer[start:end])
        if self._at_start:
            self._at_start = False
            return event.removeprefix(_BYTE_ORDER_MARK)
        return event


def _event_ends(data: bytes) -> list[int]:
    """Return where events end."""
    # Cheap and usual: LF alone.
    if b"\r" not in data:
        lengths = [len(event) + 2 for event in data.split(b"\n\n")[:-1]]
        return list(accumulate(lengths))
    ends = [match.end() for match in _BLANK_LINE.finditer(data)]
    if ends and ends[-1] == len(data) and data.endswith(b"\r"):
        ends.pop()  # the LF of a CRLF may still come
    return ends


def event_data(event: bytes) -> bytes | None:
    """Return the data of an event: its `data` lines, joined by LF; None where it has none (a comment)."""
    if (data := plain_data(event)) is not None:
        return data
    lines = [line[5:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def event_name(event: bytes) -> bytes:
    """Return what an event is called: its last `event` line; empty where it has none."""
    names = [line[6:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"event:")]
    return names[-1] if names else b""


def plain_data(event: bytes) -> bytes | None:
    """Return the data of an event that is one line of data and nothing else, as most are; None of any other."""
    if event.startswith(b"data:") and event.count(b"\n") == 2 and b"\r" not in event:
        return event[5:-2].strip()
    return None


def foreign_line(event: bytes) -> bytes | None:
    """Return the first line of an event that is neither a comment nor a field of the standard; None where all are.

    The standard has such lines ignored. Here one is the trace of a damaged event, whose content would be lost.
    """
    return next((line for line in _LINE_END.split(event) if _FIELD.match(line) is None), None)
