"""Which conversation a request belongs to."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, ClassVar

from gateway.signals.base import Kind
from gateway.signals.metadata import entries_of
from gateway.signals.request import is_user, messages_of, objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Request
    from gateway.signals.request import Message
    from routers.types import Feature, FloatArray

#: Where a client may name the session, in this order; then the body's metadata.
HEADERS = ("x-pointsman-session-id", "x-session-id", "x-conversation-id", "x-litellm-session-id", "x-model-affinity")
METADATA = ("session_id", "conversation_id")
#: Tells conversations apart that begin alike; alone it names none, because one application may use it for many.
CACHE_KEY = "prompt_cache_key"
#: A name that is longer is replaced by its digest.
MAX_CHARACTERS = 256
#: Of a longer text only the ends are hashed, and its length.
HASHED_CHARACTERS = 16_384
#: Of a conversation that begins with more messages than this, so many are hashed.
HASHED_MESSAGES = 32


class Session:
    """Names the session that a request belongs to, by what the client says, else by how the conversation begins.

    The beginning is everything up to and with the first user message, which later turns repeat: its digest (128 bits,
    hexadecimal) is the same for them, and another for another caller or `prompt_cache_key`. `session` is left out where
    there are no messages.
    """

    name = "session"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "session": Kind.TEXT,
        "session.given": Kind.TRUTH,
        "session.continues": Kind.TRUTH,
        "session.turn": Kind.NUMBER,
    }

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the session, whether the client named it, and how far it has got."""
        messages = messages_of(request.body)
        given = _given(request)
        answered = any(message.get("role") == "assistant" for message in messages)
        features: dict[str, Feature] = {
            "session.given": given is not None,
            "session.continues": answered or given is not None,
            "session.turn": float(sum(map(is_user, messages))),
        }
        session = given or _beginning(request.caller.name, request.body.get(CACHE_KEY), messages)
        return features | {"session": session} if session else features


def _given(request: Request) -> str | None:
    metadata = entries_of(request.body)
    named = [request.headers.get(header) for header in HEADERS]
    named += [metadata.get(key) for key in METADATA]
    name = next((name.strip() for name in named if isinstance(name, str) and name.strip()), None)
    if name is None or len(name) <= MAX_CHARACTERS:
        return name
    return _digest("name", name)


def _beginning(caller: str, cache_key: object, messages: list[Message]) -> str | None:
    if not messages:
        return None
    users = (number for number, message in enumerate(messages) if is_user(message))
    first = messages[: next(users, len(messages) - 1) + 1]
    kept = [*first[:HASHED_MESSAGES], first[-1]]
    return _digest(
        "beginning",
        caller,
        _named(cache_key),
        [[_hashable(message.get("role")), *_parts(message)] for message in kept],
    )


def _named(cache_key: object) -> object:
    return _hashable(cache_key.strip() or None) if isinstance(cache_key, str) else None


def _parts(message: Message) -> list[object]:
    """Return a message's content, the same for a text and for a list of one part with that text."""
    content = message.get("content")
    if isinstance(content, str):
        return [_hashable(content)]
    return [_hashable(part["text"]) if isinstance(part.get("text"), str) else _texts(part) for part in objects(content)]


def _texts(part: Message) -> list[object]:
    """Return the texts of a part that is no text: its own members and theirs, such as an image's address."""
    members = [value for _, value in sorted(part.items())]
    inner = [each for value in members if isinstance(value, dict) for _, each in sorted(value.items())]
    return [_hashable(value) for value in (*members, *inner) if isinstance(value, str)]


def _hashable(value: object) -> object:
    if not isinstance(value, str):
        return None
    if len(value) <= HASHED_CHARACTERS:
        return value
    half = HASHED_CHARACTERS // 2
    return [len(value), value[:half], value[-half:]]


def _digest(*what: object) -> str:
    # JSON keeps apart what it is made of: no two beginnings are written alike.
    return hashlib.sha256(json.dumps(["session", *what]).encode()).hexdigest()[:32]
