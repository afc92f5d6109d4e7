"""Server-sent events (WHATWG HTML, section 9.2), cut anywhere."""

from __future__ import annotations

import re

#: An event ends with a blank line; lines end with LF, CRLF or CR.
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
#: A single event may not be larger than this, so that an endpoint cannot fill the memory.
MAX_EVENT_BYTES = 32 * 1024 * 1024


class EventTooLarge(ValueError):
    """An event has grown beyond `MAX_EVENT_BYTES` without ending."""


class EventSplitter:
    """Cuts a stream of bytes into whole events, each with its closing blank line."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def rest(self) -> bytes:
        """Return the bytes that no blank line has ended yet."""
        return self._buffer

    def feed(self, data: bytes) -> list[bytes]:
        """Take in bytes and return the events that they complete.

        Raises `EventTooLarge`.
        """
        buffer = self._buffer + data if self._buffer else data
        # Cheap and usual: LF alone, and the piece ends where an event ends.
        if b"\r" not in buffer:
            *events, self._buffer = buffer.split(b"\n\n")
            whole = [event + b"\n\n" for event in events]
        else:
            whole = self._split(buffer)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"an event of more than {MAX_EVENT_BYTES} bytes")
        return whole

    def _split(self, buffer: bytes) -> list[bytes]:
        events = []
        at = 0
        for match in _BLANK_LINE.finditer(buffer):
            if match.end() == len(buffer) and buffer.endswith(b"\r"):
                break  # the LF of a CRLF may still come
            events.append(buffer[at : match.end()])
            at = match.end()
        self._buffer = buffer[at:]
        return events


def event_data(event: bytes) -> bytes | None:
    """Return the data of an event: its `data` lines, joined by LF; None where it has none (a comment)."""
    if event.startswith(b"data:") and event.count(b"\n") == 2 and b"\r" not in event:
        return event[5:-2].strip()
    lines = [line[5:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None
