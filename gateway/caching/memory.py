"""Answers in the memory of this process: those used longest ago make room for new ones."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.caching.nearest import Bucket

if TYPE_CHECKING:
    from gateway.caching.shelf import Item, Neighbour
    from routers.types import FloatArray

#: Bytes that an item takes beside its value, about; and its question beside the vector.
_OVERHEAD: Final = 400


@dataclass(frozen=True, slots=True)
class _Held:
    value: bytes
    expires: float
    bucket: bytes | None
    size: int


class MemoryShelf:
    """Keeps `max_bytes`. An item whose time is up goes when it is asked for, or when it is its turn."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held: OrderedDict[bytes, _Held] = OrderedDict()
        self._buckets: dict[bytes, Bucket] = {}
        self._held_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Return about how much memory it takes."""
        return self._held_bytes

    async def get(self, key: bytes, now: float) -> bytes | None:
        """Return the value of a key; it counts as used."""
        held = self._held.get(key)
        if held is None:
            return None
        if held.expires <= now:
            self._remove(key)
            return None
        self._held.move_to_end(key)
        return held.value

    async def put(self, item: Item, now: float) -> bool:
        """Keep an item in place of what its key had; False where it is larger than all there may be."""
        self._remove(item.key)
        size = size_of(item)
        if size > self._max_bytes:
            return False
        while self._held_bytes + size > self._max_bytes:
            self._remove(next(iter(self._held)))
        bucket = item.near.bucket if item.near else None
        self._held[item.key] = _Held(item.value, now + item.ttl_s, bucket, size)
        self._held_bytes += size
        if item.near is not None:
            questions = self._buckets.setdefault(item.near.bucket, Bucket(len(item.near.vector)))
            questions.add(item.key, item.near, now + item.ttl_s)
        return True

    async def neighbours(self, bucket: bytes, vector: FloatArray, least: float, now: float) -> list[Neighbour]:
        """Return the nearest questions of a bucket, nearest first."""
        questions = self._buckets.get(bucket)
        return questions.nearest(vector, least, now) if questions else []

    def _remove(self, key: bytes) -> None:
        held = self._held.pop(key, None)
        if held is None:
            return
        self._held_bytes -= held.size
        questions = self._buckets.get(held.bucket) if held.bucket else None
        if questions is not None and held.bucket:
            questions.discard(key)
            if not questions:
                del self._buckets[held.bucket]


def size_of(item: Item) -> int:
    """Return about how many bytes an item takes."""
    size = len(item.value) + _OVERHEAD
    return size if item.near is None else size + item.near.vector.nbytes + len(item.near.text) + 2 * _OVERHEAD
