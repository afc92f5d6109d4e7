"""All that travels with a request and can be read, and what travels and cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Parts of a message that are no text, by their type.
_UNREAD: Final = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_audio": "audio",
    "audio": "audio",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "video_url": "file",
    "video": "file",
}
_DATA_URL: Final = re.compile(r"data:(\w+)/[\w.+-]{1,80}(?:;[\w=.+-]{1,80}){0,4},")
_MEDIA: Final = {"image": "image", "audio": "audio"}
#: Content of a part that is not text: base64 and nothing else, longer than any address or identifier.
_CONTENT: Final = re.compile(r"[A-Za-z0-9+/_=\r\n-]{256,}")
#: Keys that say nothing of their value, and those whose "id" would mislead.
_UNTOLD: Final = frozenset({"content", "text", "role", "type", "id", "tool_call_id", "call_id", "model"})
#: A short value is read together with its key, which says what it is: `{"phone": "5551234567"}`.
_SHORT: Final = 64
_LONG_NUMBER: Final = 1_000_000
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True, repr=False)
class Travelling:
    """What goes out with a request: every text, and the kinds of content that cannot be read, sorted."""

    texts: tuple[str, ...]
    unread: tuple[str, ...]


class _Pairs(list[tuple[str, Any]]):
    """The members of an object, those too that come twice."""


@dataclass(frozen=True, slots=True)
class _Unread:
    kind: str


def texts_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every string of a request, keys too; short values after their key (`"phone: 5551234567"`)."""
    return travelling(body).texts


def travelling(body: Mapping[str, Any]) -> Travelling:
    """Return all that travels: messages of all roles, calls of tools, their results, tools, `user`, metadata, all else.

    JSON in a string (arguments, results) is read as what it says. The content of images and the like is not text.
    """
    texts: list[str] = []
    unread: set[str] = set()
    for found in _walk(body):
        if isinstance(found, _Unread):
            unread.add(found.kind)
        elif found:
            texts.append(found)
    return Travelling(tuple(texts), tuple(sorted(unread)))


def _walk(body: Mapping[str, Any]) -> Iterator[str | _Unread]:
    # A stack and no recursion: a request may be nested as deep as it likes.
    stack: list[tuple[str, Any, bool]] = [("", body, False)]
    while stack:
        key, value, opaque = stack.pop()
        if isinstance(value, str):
            decoded = _decoded(value)
            if decoded is None:
                yield from _read(key, value, opaque=opaque)
            else:
                stack.append((key, decoded, opaque))
        elif isinstance(value, Mapping | _Pairs):
            members = list(value.items()) if isinstance(value, Mapping) else list(value)
            kind = _part(members)
            if kind is not None:
                yield _Unread(kind)
            yield from (name for name, _ in members)
            stack += [(name, member, opaque or kind is not None) for name, member in reversed(members)]
        elif isinstance(value, list | tuple):
            stack += [(key, member, opaque) for member in reversed(value)]
        elif isinstance(value, int | float) and abs(value) >= _LONG_NUMBER:
            yield _labelled(key, str(value))


def _read(key: str, value: str, *, opaque: bool) -> Iterator[str | _Unread]:
    if url := _DATA_URL.match(value):
        yield _Unread(_MEDIA.get(url[1], "file"))
    elif not (opaque and _CONTENT.fullmatch(value)):
        yield _labelled(key, value)


def _labelled(key: str, value: str) -> str:
    return value if len(value) > _SHORT or key in _UNTOLD or not key else f"{_HUMP.sub(' ', key)}: {value}"


def _part(members: list[tuple[str, Any]]) -> str | None:
    """Return which kind of unread content an object is, None for others; an earlier spoken answer is `audio: {id}`."""
    for name, value in members:
        if name == "type" and isinstance(value, str) and value in _UNREAD:
            return _UNREAD[value]
        if name == "audio" and isinstance(value, dict) and "id" in value:
            return "audio"
    return None


def _decoded(text: str) -> Any | None:
    """Return what a string of JSON holds, for escapes hide letters; None where it is no object and no list."""
    if text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
