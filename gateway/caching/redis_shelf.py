"""Answers in Redis, for all replicas: each by its key, and the questions of a bucket in a stream that replicas follow.

A stream is a log: a replica reads what has come since it read last into its own memory, and searches there. Redis may
lose all of it at any moment; then everything is a miss, until it has been answered anew.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gateway.caching._put import PUT
from gateway.caching.memory import size_of
from gateway.caching.nearest import MAX_QUESTIONS, Bucket
from gateway.caching.question import Near
from gateway.caching.shelf import Item, Neighbour, ShelfAway
from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from redis.asyncio import Redis

    from gateway.sharing.link import Link
    from routers.types import FloatArray

#: Questions that are read from a stream at a time, so that no lookup waits for thousands of them.
PAGE: Final = 512
#: Vectors travel in 16 bits, little-endian: their cosines are the same to three digits.
_NUMBERS: Final = np.dtype("<f2")


@dataclass(slots=True)
class _Mirror:
    """A bucket as far as it was read, the id of the entry that was read last, and what it takes as it is counted."""

    questions: Bucket
    last: bytes = b""
    held_bytes: int = 0


class RedisShelf:
    """Keeps `max_bytes` in Redis, and as much of questions in memory; those that expire first make room."""

    def __init__(self, link: Link, max_bytes: int) -> None:
        self._link = link
        self._max_bytes = max_bytes
        self._mirrors: OrderedDict[bytes, _Mirror] = OrderedDict()
        self._held_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Return about how much memory the questions take that were read."""
        return self._held_bytes

    async def get(self, key: bytes, now: float) -> bytes | None:
        """Return the value of a key. Raises `ShelfAway`."""
        del now  # Redis has a clock of its own, and forgets by itself

        def get(redis: Redis) -> Awaitable[Any]:
            return redis.get(f"{self._prefix}answer:{key.hex()}")

        value = await self._ask(get)
        return value if isinstance(value, bytes) else None

    async def put(self, item: Item, now: float) -> bool:
        """Keep an item; False where it is larger than all there may be. Raises `ShelfAway`."""
        if (size := size_of(item)) > self._max_bytes:
            return False
        near = item.near
        question = (
            (near.bucket.hex(), near.vector.astype(_NUMBERS).tobytes(), near.text.encode(), repr(now + item.ttl_s))
            if near
            else ("", b"", b"", "0")
        )
        names = [f"{self._prefix}{name}" for name in ("expiry", "facts", "bytes")]
        amounts = (int(item.ttl_s * 1000), size, self._max_bytes, MAX_QUESTIONS)

        def put(redis: Redis) -> Awaitable[Any]:
            return redis.eval(PUT, 3, *names, self._prefix, item.key.hex(), item.value, *amounts, *question)

        await self._ask(put)
        return True

    async def neighbours(self, bucket: bytes, vector: FloatArray, least: float, now: float) -> list[Neighbour]:
        """Return the nearest questions of a bucket, nearest first. Raises `ShelfAway`."""
        mirror = self._mirrors.get(bucket) or _Mirror(Bucket(len(vector)))
        await self._follow(bucket, mirror)
        self._hold(bucket, mirror)
        return mirror.questions.nearest(vector, least, now)

    @property
    def _prefix(self) -> str:
        return f"{self._link.prefix}cache:"

    async def _ask(self, command: Callable[[Redis], Awaitable[Any]]) -> Any:
        try:
            return await self._link.ask(command)
        except RedisAway as error:
            raise ShelfAway(str(error)) from error

    async def _follow(self, bucket: bytes, mirror: _Mirror) -> None:
        """Read what has come to a bucket; forget all where its stream is gone, or is another one."""
        name = f"{self._prefix}near:{bucket.hex()}"

        def read(redis: Redis) -> Awaitable[Any]:
            pipeline = redis.pipeline(transaction=False)
            pipeline.xrevrange(name, count=1)
            pipeline.xrange(name, min=b"(" + mirror.last if mirror.last else "-", count=PAGE)
            return pipeline.execute()

        newest, page = await self._ask(read)
        if not newest or _moment(newest[0][0]) < _moment(mirror.last):
            mirror.questions, mirror.last = Bucket(mirror.questions.dimension), b""
            return
        for at, members in page:
            _take(mirror.questions, bucket, members)
            mirror.last = max(mirror.last, at, key=_moment)

    def _hold(self, bucket: bytes, mirror: _Mirror) -> None:
        """Keep a mirror, and let those go that were used longest ago, where there are too many."""
        self._drop(bucket)
        if not mirror.questions:
            return
        mirror.held_bytes = mirror.questions.held_bytes
        self._mirrors[bucket] = mirror
        self._held_bytes += mirror.held_bytes
        while self._held_bytes > self._max_bytes:
            self._drop(next(iter(self._mirrors)))

    def _drop(self, bucket: bytes) -> None:
        dropped = self._mirrors.pop(bucket, None)
        self._held_bytes -= dropped.held_bytes if dropped else 0


def _moment(at: bytes) -> tuple[int, int]:
    """Return the id of a stream's entry as what it is ordered by: milliseconds, and a number within them."""
    milliseconds, _, number = at.partition(b"-")
    return int(milliseconds or 0), int(number or 0)


def _take(questions: Bucket, bucket: bytes, members: Mapping[bytes, bytes]) -> None:
    """Add a question as it stands in a stream; one that cannot be read is passed over."""
    try:
        key, text = bytes.fromhex(members[b"key"].decode()), members[b"text"].decode()
        vector = np.frombuffer(members[b"vector"], _NUMBERS).astype(np.float32)
        questions.add(key, Near(bucket, text, vector), float(members[b"expires"]))
    except (KeyError, ValueError):
        return
