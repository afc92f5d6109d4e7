"""Where the members of an object stand in its text.

With the places known, a member is replaced in the client's own text, and everything else stays as it was written.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from providers.strict_json import refuse_constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet


class InvalidBody(ValueError):
    """The body is no JSON object (RFC 8259) in UTF-8 with each name once; the message says where it ends to be one."""


class Member(NamedTuple):
    """One member of an object: where its value stands in the text, as [start, end), and what that stands for."""

    key: str
    start: int
    end: int
    value: Any


class Place(NamedTuple):
    """Where the value of a member stands in the bytes of an object, as [start, end)."""

    key: str
    start: int
    end: int


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names stand once each.

    Of two values readers take the first or the last as they like (RFC 8259, section 4): what was checked here would
    not be what the endpoint reads.
    """
    read = dict(pairs)
    if len(read) < len(pairs):
        refuse_repeated([name for name, _ in pairs])
    return read


def refuse_repeated(names: Sequence[str]) -> NoReturn:
    """Refuse an object with such names. Raises `InvalidBody`."""
    (repeated, _), *_ = Counter(names).most_common(1)
    raise InvalidBody(f"{repeated!r} stands twice in one object")


#: Reads the value that begins at a character; returns it, and where it ends.
read_value: Final = json.JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=_once).raw_decode
_WHITE_SPACE: Final = re.compile(r"[ \t\n\r]*")
#: A name in which nothing is escaped, its colon, and what white space follows: nearly every name is such.
_PLAIN_KEY: Final = re.compile(r'"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*')
#: What stands before the first name of an object that has one.
_BEGINNING: Final = re.compile(r'[ \t\n\r]*\{[ \t\n\r]*(?=")')
#: What stands between two members, where all is well.
_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
#: The same in bytes, the beginning of an object, and a value in which no array or object stands in another.
_PLAIN_KEY_BYTES: Final = re.compile(_PLAIN_KEY.pattern.encode())
_COMMA_BYTES: Final = re.compile(_COMMA.pattern.encode())
_OPENED: Final = re.compile(rb"[ \t\n\r]*\{[ \t\n\r]*")
_BACKSLASH: Final = ord("\\")
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT: Final = re.compile(rb'%b|[^"\[\]{} \t\n\r,]++|[\[{][^"\[\]{}]*+(?:%b[^"\[\]{}]*+)*+[\]}]' % (_STRING, _STRING))


def members_of(text: str) -> Iterator[Member]:
    """Yield the members of an object one after the other, each read when it is asked for.

    Raises `ValueError`, of which `InvalidBody` is one, and `RecursionError`, where the text turns out to be none.
    """
    at = _opened(text)
    while at is not None:
        key, start = _scan_key(text, at)
        value, end = read_value(text, start)
        yield Member(key, start, end, value)
        at = _next(text, end)


def find(raw: bytes, keys: AbstractSet[str]) -> list[Place]:
    """Return where some members of an object stand in its bytes, in their order.

    The bytes are known to be an object in which no name stands twice, and which has those members. Clients put
    `messages` before them or after: they are the longest by far, and are neither decoded nor read again where that can
    be avoided.
    """
    found: list[Place] = []
    at = _OPENED.match(raw)
    while at is not None and len(found) < len(keys):
        key = _PLAIN_KEY_BYTES.match(raw, at.end())
        if key is None or (value := _FLAT.match(raw, key.end())) is None:
            break
        if (name := key[1].decode()) in keys:
            found.append(Place(name, key.end(), value.end()))
        at = _COMMA_BYTES.match(raw, value.end())
    if len(found) == len(keys) or at is None:
        return found
    left = keys - {one.key for one in found}
    return found + (_find_last(raw, at.end(), left) or _places(raw, 0, left))


def _find_last(raw: bytes, after: int, keys: AbstractSet[str]) -> list[Place] | None:
    """Return some members if they are the last of an object, None where that cannot be told.

    Where a quoted name begins, and what is left of the text is, behind a brace, an object by itself, the name is one of
    the top-level object: behind a nested one, more would be closed than is open. Within a string its quotation mark
    would be escaped.
    """
    start = min(raw.rfind(b'"%b"' % key.encode(), after) for key in keys)
    if start < 0 or raw[start - 1] == _BACKSLASH:
        return None
    try:
        found = _places(b"{" + raw[start:], start - 1, keys)
    except ValueError:
        return None
    return found if len(found) == len(keys) else None


def _places(raw: bytes, moved: int, keys: AbstractSet[str]) -> list[Place]:
    """Read an object, and return where some members stand in bytes of which it is the part from byte `moved` on."""
    text = raw.decode()
    found = [one for one in members_of(text) if one.key in keys]
    if text.isascii():
        return [Place(one.key, one.start + moved, one.end + moved) for one in found]
    return [Place(one.key, _bytes_of(text, one.start) + moved, _bytes_of(text, one.end) + moved) for one in found]


def _bytes_of(text: str, characters: int) -> int:
    return len(text[:characters].encode())


def _opened(text: str) -> int | None:
    """Return where the first name of an object begins, None where it has none. Raises `InvalidBody`."""
    if (beginning := _BEGINNING.match(text)) is not None:
        return beginning.end()
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise InvalidBody("the body is not a JSON object")
    return _name_or_end(text, at + 1)


def _next(text: str, end: int) -> int | None:
    """Return where the name begins that follows a value, None where the object ends. Raises `InvalidBody`."""
    if (comma := _COMMA.match(text, end)) is not None:
        return comma.end()
    at = _name_or_end(text, end)
    if at is not None:
        _expect(text, at, ",")
    return at


def _name_or_end(text: str, at: int) -> int | None:
    """Return where something follows within an object, None where it ends, and with it the text."""
    at = _skip(text, at)
    if text[at : at + 1] != "}":
        return at
    if _skip(text, at + 1) != len(text):
        raise InvalidBody(f"the body is not JSON: more follows the object at character {at + 1}")
    return None


def _scan_key(text: str, at: int) -> tuple[str, int]:
    """Read a member's name and its colon; return the name and where the value begins."""
    if (plain := _PLAIN_KEY.match(text, at)) is not None:
        return plain[1], plain.end()
    _expect(text, at, '"')
    key, at = read_value(text, at)
    return key, _skip(text, _expect(text, _skip(text, at), ":"))


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise InvalidBody(f"the body is not JSON: expected {character!r} at character {at}")
    return at + 1


def _skip(text: str, at: int) -> int:
    """Return where the white space that begins at `at` ends."""
    match = _WHITE_SPACE.match(text, at)
    return match.end() if match else at
