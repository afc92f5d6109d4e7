"""An answer as it is kept, and its form in bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

#: The version of the form; what begins otherwise was written by another version.
_MAGIC: Final = b"pointsman1\n"
_CHECK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A complete answer in OpenAI's form, who gave it, in answer to which decision, and when (seconds of 1970).

    `identity` is what stood behind the model's name then.
    """

    answer: bytes
    model: str
    identity: str
    decision_id: str
    at: float


def encoded(entry: Entry, key: bytes) -> bytes:
    """Return the entry of a key in bytes; a check of both is at the end."""
    head = {"model": entry.model, "identity": entry.identity, "decision": entry.decision_id, "at": entry.at}
    whole = b"".join((_MAGIC, json.dumps(head).encode(), b"\n", entry.answer))
    return whole + _check(key, whole)


def decoded(value: bytes, key: bytes) -> Entry | None:
    """Return the entry of a key; None where it is damaged, another's, or another version's."""
    whole, check = value[:-_CHECK_BYTES], value[-_CHECK_BYTES:]
    if not whole.startswith(_MAGIC) or check != _check(key, whole):
        return None
    head, _, answer = whole[len(_MAGIC) :].partition(b"\n")
    read = json.loads(head)
    return Entry(answer, read["model"], read["identity"], read["decision"], read["at"])


def _check(key: bytes, whole: bytes) -> bytes:
    return hashlib.blake2b(whole, digest_size=_CHECK_BYTES, key=key).digest()
