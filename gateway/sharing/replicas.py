"""Which replicas there are, and whether they all have the same configuration in force."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sharing.link import Link

#: Seconds without a sign after which a replica is gone.
GONE_S = 10.0


class Replicas:
    """Gives a sign of this replica and looks for those of others.

    `replica` is its own name among them, `digest` returns that of its configuration; `on_count` is told how many
    replicas there are, and how many of them have another configuration in force.
    """

    def __init__(
        self, link: Link, replica: str, digest: Callable[[], str], on_count: Callable[[int, int], None]
    ) -> None:
        self._link = link
        self._replica = replica
        self._digest = digest
        self._on_count = on_count
        self._key = f"{link.prefix}:replicas"

    async def sync(self) -> None:
        """Give a sign, and count. Raises `RedisAway`."""
        now, digest = time.time(), self._digest()

        async def exchange(redis: Any) -> Any:
            pipeline = redis.pipeline(transaction=False)
            pipeline.hset(self._key, self._replica, json.dumps({"at": now, "digest": digest}))
            pipeline.hgetall(self._key)
            return (await pipeline.execute())[1]

        signs = {name: _read(value) for name, value in (await self._link.ask(exchange)).items()}
        gone = [name for name, (at, _) in signs.items() if at < now - GONE_S]
        if gone:
            await self._link.ask(lambda redis: redis.hdel(self._key, *gone))
        alive = [found for at, found in signs.values() if at >= now - GONE_S]
        self._on_count(len(alive), sum(found != digest for found in alive))

    async def leave(self) -> None:
        """Take this replica's sign away. Raises `RedisAway`."""
        await self._link.ask(lambda redis: redis.hdel(self._key, self._replica))


def _read(value: bytes) -> tuple[float, str]:
    """Return a sign's time and digest; one that cannot be read is of a replica that is gone."""
    try:
        found = json.loads(value)
        return float(found["at"]), str(found["digest"])
    except (ValueError, KeyError, TypeError):
        return 0.0, ""
