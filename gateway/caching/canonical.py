"""Writes a request so that two are written alike if, and only if, they ask for the same.

Numbers are compared by their value as it is written, not as a double: 0.1 is 0.10 and 1e-1, and not the next double.
The order of members counts where a model may see it, as in a tool's or an answer's schema, and not where it cannot: at
the top, and in messages.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Members that change how an answer is sent, stored or accounted for, and not what it says.
SILENT: Final = frozenset(
    {
        "stream",
        "stream_options",
        "user",
        "metadata",
        "store",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "pointsman",
    }
)
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?")


class Number(str):
    """A number of JSON as it was written."""

    __slots__ = ()


def read_exactly(text: str) -> dict[str, Any]:
    """Return a JSON object whose numbers are as they were written. The text must have been read as JSON before."""
    body: dict[str, Any] = json.loads(text, parse_float=Number, parse_int=Number)
    return body


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return a body that `read_exactly` returned in its one form, without silent members.

    Raises `RecursionError` where it is nested too deeply, and `ValueError` for an exponent of thousands of digits.
    """
    pieces: list[bytes] = []
    for name in sorted(body.keys() - SILENT):
        pieces.append(_text(name))
        _write(body[name], pieces, ordered=name != "messages")
    return b"".join(pieces)


def _write(value: Any, pieces: list[bytes], *, ordered: bool) -> None:
    """Write a value: each kind begins with a letter of its own and says its length, so that no two are alike."""
    if isinstance(value, Number):
        pieces.append(_text(_normal(value), kind=b"n"))
    elif isinstance(value, str):
        pieces.append(_text(value))
    elif isinstance(value, dict):
        pieces.append(b"o%d:" % len(value))
        for name in value if ordered else sorted(value):
            pieces.append(_text(name))
            _write(value[name], pieces, ordered=ordered)
    elif isinstance(value, list):
        pieces.append(b"l%d:" % len(value))
        for member in value:
            _write(member, pieces, ordered=ordered)
    else:  # true, false or null
        pieces.append(json.dumps(value).encode())


def _text(text: str, kind: bytes = b"s") -> bytes:
    written = text.encode(errors="surrogatepass")
    return b"%b%d:%b" % (kind, len(written), written)


def _normal(number: Number) -> str:
    """Return a number's one form: its digits without zeros around them, and a power of ten."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise ValueError(f"{number[:40]!r} is no number of JSON")
    sign, whole, fraction, power = match[1], match[2], match[3] or "", int(match[4] or 0)
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    return f"{sign}{significant}e{power - len(fraction) + len(digits) - len(significant)}"
