"""Heads of requests and answers, as ASGI has them: pairs of bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from starlette.types import Scope

REQUEST_ID: Final = b"x-request-id"
#: A caller's own id is kept if it is plain; anything else could forge headers or log lines.
_PLAIN: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
#: Lines of a head (RFC 9110, sections 5.1 and 5.5), their names in lower case.
_LINES: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9a-z-]++: [\t -~\x80-\xff]*+\r\n)*+")


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers by their names in lower case.

    A header that comes twice is one whose values are joined (RFC 9110, section 5.3): no part of it may be lost.
    """
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def request_id_of(scope: Scope, rng: Random) -> bytes:
    """Return the id that a request is given: its caller's own, if that is plain."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            return value if _PLAIN.fullmatch(value) else _new_id(rng)
    return _new_id(rng)


def raw_headers(headers: Mapping[str, str]) -> Iterable[tuple[bytes, bytes]]:
    """Return headers as ASGI sends them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def lines_of(headers: Mapping[str, str]) -> bytes | None:
    """Return headers as they are written, None where one of them would break out of its line.

    To look through all at once takes half a microsecond; a server that is given them one by one looks at each.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
    return lines if _LINES.fullmatch(lines) is not None else None


def _new_id(rng: Random) -> bytes:
    return b"req_%032x" % rng.getrandbits(128)
