"""The head of a request: its first line and its header fields, as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What a head ends with.
BLANK = b"\r\n"
#: Fields that say how long a body is.
LENGTHS = frozenset({b"content-length", b"transfer-encoding"})


def head_of(request: httpx2.Request) -> bytes:
    """Return a request's head. Raises `httpx2.LocalProtocolError` for what would break out of its field."""
    return _first_line(request) + lines_of(request.headers.raw) + BLANK


def lines_of(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return fields as lines. Raises `httpx2.LocalProtocolError` for what would break out of its field."""
    lines = [b"%b: %b\r\n" % field for field in fields]
    return _whole_lines(b"".join(lines), len(lines))


class RequestHead:
    """What is the same in all requests to a URL: all but the length of the body, and what each brings along.

    Made once, so that a request costs two joins of bytes. Raises `httpx2.LocalProtocolError` for what would break out
    of its field.
    """

    def __init__(self, method: str, url: httpx2.URL, headers: Mapping[str, str]) -> None:
        request = httpx2.Request(method, url, headers=headers)
        fields = [field for field in request.headers.raw if field[0].lower() not in LENGTHS]
        self._fixed = _first_line(request) + lines_of(fields)
        self._names = frozenset(name.lower().decode("ascii") for name, _ in fields)

    def bytes_for(self, length: int, headers: Mapping[str, str]) -> bytes:
        """Return the head for a body of `length` bytes, with more headers, of which those that are fixed do not count.

        Raises `httpx2.LocalProtocolError` for what would break out of its field.
        """
        if not headers:
            return b"%bcontent-length: %d\r\n\r\n" % (self._fixed, length)
        more = lines_of(
            (name.encode("ascii"), value.encode("ascii")) for name, value in headers.items() if self._lacks(name)
        )
        return b"%b%bcontent-length: %d\r\n\r\n" % (self._fixed, more, length)

    def _lacks(self, name: str) -> bool:
        return name.lower() not in self._names


def _first_line(request: httpx2.Request) -> bytes:
    return _whole_lines(b"%b %b HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path), 1)


def _whole_lines(lines: bytes, count: int) -> bytes:
    """Return lines that are as many as they should be. Raises `httpx2.LocalProtocolError` where they are not."""
    if lines.count(b"\n") != count or lines.count(b"\r") != count or b"\0" in lines:
        raise httpx2.LocalProtocolError("a header field or the address holds a line break")
    return lines
