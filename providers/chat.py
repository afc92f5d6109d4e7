"""Reads a chat completion request once: a parsed view, and where each top-level member stands in the text.

With the places known, a member is replaced in the client's own text, and everything else stays as it was
written: `1e-7` does not become `1e-07`, and a field that nobody here knows reaches the endpoint untouched.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from providers.strict_json import InvalidJson, check_depth, refuse_constant, refused
from providers.types import ChatRequest, Member

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class InvalidBody(ValueError):
    """The body is no JSON object (RFC 8259) in UTF-8 with each name once; the message says where it ends to be one."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names stand once each.

    Of two values readers take the first or the last as they like (RFC 8259, section 4): what was checked here would
    not be what the endpoint reads.
    """
    read = dict(pairs)
    if len(read) < len(pairs):
        _refuse_repeated([name for name, _ in pairs])
    return read


def _refuse_repeated(names: Sequence[str]) -> NoReturn:
    (repeated, _), *_ = Counter(names).most_common(1)
    raise InvalidBody(f"{repeated!r} stands twice in one object")


_read_value = json.JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=_once).raw_decode
_WHITE_SPACE = re.compile(r"[ \t\n\r]*")


def parse_chat(raw: bytes) -> ChatRequest:
    """Parse a request body.

    Raises `InvalidBody` where it is not a JSON object in UTF-8, is too deep, or a name stands twice in an object.
    Nothing is checked beyond that.
    """
    try:
        text = raw.decode()
        body, members = _scan_object(text)
        check_depth(text, body)
    except InvalidBody:
        raise
    except InvalidJson as error:
        raise InvalidBody(f"the body {error}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidBody(f"the body {refused(error)}") from error
    return ChatRequest(text=text, body=body, members=members)


def _scan_object(text: str) -> tuple[dict[str, Any], tuple[Member, ...]]:
    """Walk the top-level object; each value is read by the JSON library's own scanner."""
    body: dict[str, Any] = {}
    members: list[Member] = []
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise InvalidBody("the body is not a JSON object")
    at = _skip(text, at + 1)
    closed = text[at : at + 1] == "}"
    while not closed:
        key, at = _scan_key(text, at)
        if key in body:
            _refuse_repeated([key, key])
        value, end = _read_value(text, at)
        body[key] = value
        members.append(Member(key, at, end))
        at = _skip(text, end)
        closed = text[at : at + 1] == "}"
        if not closed:
            at = _skip(text, _expect(text, at, ","))
    if _skip(text, at + 1) != len(text):
        raise InvalidBody(f"the body is not JSON: more follows the object at character {at + 1}")
    return body, tuple(members)


def _scan_key(text: str, at: int) -> tuple[str, int]:
    """Read a member's name and its colon; return the name and where the value begins."""
    _expect(text, at, '"')
    key, at = _read_value(text, at)
    return key, _skip(text, _expect(text, _skip(text, at), ":"))


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise InvalidBody(f"the body is not JSON: expected {character!r} at character {at}")
    return at + 1


def _skip(text: str, at: int) -> int:
    """Return where the white space that begins at `at` ends."""
    match = _WHITE_SPACE.match(text, at)
    return match.end() if match else at


def edited(chat: ChatRequest, changes: Mapping[str, Any], removed: Collection[str] = ()) -> ChatRequest:
    """Return the request with some top-level members replaced or added, and some left out.

    The text of every other value stays as the client wrote it.
    """
    kept = [member for member in chat.members if member.key not in removed and member.key not in changes]
    written = [f"{json.dumps(member.key)}:{chat.text[member.start : member.end]}" for member in kept]
    written += [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in changes.items()]
    return parse_chat(f"{{{','.join(written)}}}".encode())


def with_members(chat: ChatRequest, changes: dict[str, Any]) -> str:
    """Return the request's text with some top-level members replaced, or put first where it had none."""
    present = {member.key for member in chat.members}
    pieces: list[str] = []
    at = 0
    for member in chat.members:
        if member.key in changes:
            pieces += [chat.text[at : member.start], json.dumps(changes[member.key])]
            at = member.end
    pieces.append(chat.text[at:])
    text = "".join(pieces)
    added = "".join(f"{json.dumps(key)}:{json.dumps(value)}," for key, value in changes.items() if key not in present)
    if not added:
        return text
    brace = text.index("{") + 1
    return text[:brace] + (added if chat.members else added[:-1]) + text[brace:]
