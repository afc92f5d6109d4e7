"""Keys as they are stored: JSON."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter, ValidationError

from gateway.keys.errors import KeysAway
from gateway.keys.key import VirtualKey

_CODEC: Final = TypeAdapter(VirtualKey)


def encode(key: VirtualKey) -> str:
    """Return a key as JSON, with times in UTC."""
    return _CODEC.dump_json(key).decode()


def decode(record: str | bytes) -> VirtualKey:
    """Return the key that was stored. Raises `KeysAway` for a record that is none."""
    try:
        return _CODEC.validate_json(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the record"
        raise KeysAway(
            f"a stored key cannot be read ({place}: {first['msg']}): upgrade this pointsman if another, newer one "
            "wrote it"
        ) from error
