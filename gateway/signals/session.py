"""Which conversation a request belongs to."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, ClassVar

from gateway.signals.base import Kind
from gateway.signals.metadata import entries_of
from gateway.signals.request import objects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.signals.base import Request
    from gateway.signals.request import Message, Prompt
    from routers.types import Feature, FloatArray

#: Where a client may name the session, in this order; then the body's metadata.
HEADERS = ("x-pointsman-session-id", "x-session-id", "x-conversation-id", "x-litellm-session-id", "x-model-affinity")
METADATA = ("session_id", "conversation_id")
#: Tells conversations apart that begin alike; alone it names none, because one application may use it for many.
CACHE_KEY = "prompt_cache_key"
#: A name that is longer is replaced by its digest.
MAX_CHARACTERS = 256
#: Of a longer text only the ends are hashed, and its length.
HASHED_CHARACTERS = 4_096
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
        prompt, given = request.prompt, _given(request)
        features: dict[str, Feature] = {
            "session.given": given is not None,
            "session.continues": given is not None or "assistant" in prompt.roles,
            "session.turn": float(len(prompt.users)),
        }
        session = given or _beginning(request.caller.name, request.body.get(CACHE_KEY), prompt)
        if session:
            features["session"] = session
        return features


def _given(request: Request) -> str | None:
    name = _first(request.headers, HEADERS)
    if name is None and request.body.get("metadata"):
        name = _first(entries_of(request.body), METADATA)
    if name is None or len(name) <= MAX_CHARACTERS:
        return name
    return _digest(f"name{name}")


def _first(named: Mapping[str, str], places: Sequence[str]) -> str | None:
    for place in places:
        name = named.get(place)
        if name and (name := name.strip()):
            return name
    return None


def _beginning(caller: str, cache_key: object, prompt: Prompt) -> str | None:
    messages = prompt.messages
    if not messages:
        return None
    first = messages[: prompt.users[0] + 1] if prompt.users else messages
    kept = first if len(first) <= HASHED_MESSAGES else [*first[:HASHED_MESSAGES], first[-1]]
    return _digest(f"beginning{caller!r}{_named(cache_key)!r}{''.join(map(_written, kept))}")


def _written(message: Message) -> str:
    """Return a message as what is hashed; each form tells its kind and its length, so that no two are written alike."""
    role, content = message.get("role"), message.get("content")
    text = content if isinstance(content, str) else _text(content)
    if text is not None:
        return f"{_hashable(role)!r}{len(text)}:{text if len(text) <= HASHED_CHARACTERS else _ends(text)}"
    parts = json.dumps([_hashable(role), *_parts(message)])
    return f"j{len(parts)}:{parts}"


def _text(content: object) -> str | None:
    """Return what a content says that is a list of one part with a text; None for another one."""
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0].get("text")
    return content if isinstance(content, str) else None


def _ends(text: str) -> str:
    half = HASHED_CHARACTERS // 2
    return text[:half] + text[-half:]


def _named(cache_key: object) -> object:
    return _hashable(cache_key.strip() or None) if isinstance(cache_key, str) else None


def _parts(message: Message) -> list[object]:
    return [
        _hashable(part["text"]) if isinstance(part.get("text"), str) else _texts(part)
        for part in objects(message.get("content"))
    ]


def _texts(part: Message) -> list[object]:
    """Return the texts of a part that is no text: its own members and theirs, such as an image's address."""
    members = [value for _, value in sorted(part.items())]
    inner = [each for value in members if isinstance(value, dict) for _, each in sorted(value.items())]
    return [_hashable(value) for value in (*members, *inner) if isinstance(value, str)]


def _hashable(value: object) -> object:
    if not isinstance(value, str):
        return None
    return value if len(value) <= HASHED_CHARACTERS else [len(value), _ends(value)]


def _digest(what: str) -> str:
    return hashlib.sha256(what.encode(errors="surrogatepass")).hexdigest()[:32]
