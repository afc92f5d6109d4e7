"""What the caller says about a request: its metadata, its headers, its tags, and the user that it is for."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray

#: Headers that hold tags, separated by commas.
TAG_HEADERS = ("x-pointsman-tags", "x-litellm-tags")
#: Members of the body that say whom a request is for. The first is OpenAI's newer name of the second.
USER = ("safety_identifier", "user")
#: As OpenAI's API has it; what is longer is cut, and what is more is left out.
MAX_VALUE_CHARACTERS, MAX_ENTRIES = 512, 64
#: What of the metadata is given.
_WRITTEN = (str, int, float)


class Metadata:
    """Gives `metadata.KEY`, `header.NAME` for the `headers` named, `user` and `tags`; what is not said is left out.

    Numbers and truth values are given as JSON writes them; lists and objects are left out. `headers` are compared
    without regard to case.
    """

    name = "metadata"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "metadata.*": Kind.TEXT,
        "header.*": Kind.TEXT,
        "user": Kind.TEXT,
        "tags": Kind.TEXTS,
    }

    def __init__(self, *, headers: Sequence[str] = ()) -> None:
        self._headers = tuple(header.lower() for header in headers)

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return what the caller says."""
        features: dict[str, Feature] = {
            f"metadata.{key}": text[:MAX_VALUE_CHARACTERS] for key, text in entries_of(request.body).items()
        }
        for name in self._headers:
            if (value := request.headers.get(name)) is not None:
                features[f"header.{name}"] = value[:MAX_VALUE_CHARACTERS]
        if user := user_of(request):
            features["user"] = user
        if tags := tags_of(request):
            features["tags"] = tags
        return features


def user_of(request: Request) -> str:
    """Return whom a request says that it is for, empty where it does not."""
    for member in USER:
        user = request.body.get(member)
        if user and isinstance(user, str):
            return user[:MAX_VALUE_CHARACTERS]
    return ""


def tags_of(request: Request) -> tuple[str, ...]:
    """Return the tags of a request and of its caller, each once."""
    tags: list[str] = []
    for header in TAG_HEADERS:
        if listed := request.headers.get(header):
            tags += _split(listed)
    if metadata := request.body.get("metadata"):
        tags += _tags_in(metadata)
    tags += request.caller.tags
    return tuple(dict.fromkeys(tags))


def entries_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the entries of the body's metadata that are texts, numbers or truth values, as texts."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    return {key: _written(value) for key, value in islice(metadata.items(), MAX_ENTRIES) if isinstance(value, _WRITTEN)}


def _written(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tags_in(metadata: object) -> list[str]:
    written = metadata.get("tags") if isinstance(metadata, dict) else None
    if isinstance(written, str):
        return _split(written)
    if isinstance(written, list):
        return [tag.strip() for tag in written if isinstance(tag, str) and tag.strip()]
    return []


def _split(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",") if tag.strip()]
