"""What was asked lately, remembered by all replicas. It is imported only where Redis is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.implicit.memory import LocalMemory
from gateway.implicit.seen import decoded, encoded
from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.implicit.seen import Seen
    from gateway.sharing.away import Linked


class SharedMemory(LocalMemory):
    """Remembers in Redis, and here for the time that it is away.

    Without a `key` of the configuration's, the replicas share one that the first of them draws, and Redis keeps.
    """

    def __init__(self, link: Linked, ttl_s: float, key: bytes = b"") -> None:
        super().__init__(ttl_s, key)
        self._link = link
        self._agreed = bool(key)

    async def secret(self) -> bytes:
        """Return the key: until Redis has told that of all replicas, one of this process."""
        if not self._agreed:
            own, name = self._secret, f"{self._link.prefix}:implicit:key"

            async def agree(redis: Any) -> bytes:
                await redis.set(name, own, nx=True)
                return bytes(await redis.get(name))

            try:
                self._secret = await self._link.ask(agree)
            except RedisAway:
                return own
            self._agreed = True
        return self._secret

    async def recall(self, keys: Sequence[bytes], now: float) -> list[Seen | None]:
        """Return what is remembered under each key."""
        names = [self._name(key) for key in keys]

        async def read(redis: Any) -> list[bytes | None]:
            return list(await redis.mget(names))

        try:
            values = await self._link.ask(read)
        except RedisAway:
            return await super().recall(keys, now)
        return [None if value is None else decoded(value) for value in values]

    async def keep(self, seen: Mapping[bytes, Seen], now: float) -> None:
        """Remember requests by their keys."""
        await super().keep(seen, now)
        life_ms = max(int(self._ttl_s * 1000), 1)

        async def write(redis: Any) -> None:
            pipeline = redis.pipeline(transaction=False)
            for key, one in seen.items():
                pipeline.set(self._name(key), encoded(one), px=life_ms)
            await pipeline.execute()

        try:
            await self._link.ask(write)
        except RedisAway:
            return  # the link has logged it, and it is remembered here

    def _name(self, key: bytes) -> str:
        return f"{self._link.prefix}:implicit:seen:{key.hex()}"
