"""Where answers are kept: in memory or in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.caching.question import Near
    from routers.types import FloatArray


class ShelfAway(Exception):
    """The shelf did not answer: there is nothing to be had from it now."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A question that was answered before: its key, its text, and the cosine of its vector and the one asked for."""

    key: bytes
    text: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Item:
    """What is put on a shelf: a value by its key, for `ttl_s` seconds, and the question by which it is found too."""

    key: bytes
    value: bytes
    ttl_s: float
    near: Near | None = None


class Shelf(Protocol):
    """Keeps values for some time, within a number of bytes. `now` is in seconds of 1970. All may raise `ShelfAway`."""

    @property
    def held_bytes(self) -> int:
        """Return about how much memory it takes in this process."""
        ...

    async def get(self, key: bytes, now: float) -> bytes | None:
        """Return the value of a key."""
        ...

    async def put(self, item: Item, now: float) -> bool:
        """Keep an item in place of what its key had; return whether there is room for it at all."""
        ...

    async def neighbours(self, bucket: bytes, vector: FloatArray, least: float, now: float) -> list[Neighbour]:
        """Return the nearest questions of a bucket, nearest first, a few at most: those with a cosine of `least`."""
        ...
