"""The money of all replicas, counted in Redis. It is imported only where Redis is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.sharing.link import Link

#: Seconds that a day's sum is kept: until that day is over everywhere.
KEPT_S: Final = 2 * 86_400
#: Adds an amount, if the sum stays within the limit.
_RESERVE: Final = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class SharedBudget:
    """Counts in Redis. While it is away nothing is reserved: judging can wait."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def reserve(self, nano_usd: int, most: int, at: datetime) -> bool:
        """Reserve an amount, if no more than `most` is spent with it on that day; tell whether it was."""
        name = self._name(at)
        try:
            answer = await self._link.ask(lambda redis: redis.eval(_RESERVE, 1, name, nano_usd, most, KEPT_S))
        except RedisAway:
            return False
        return bool(answer)

    async def settle(self, reserved: int, spent: int, at: datetime) -> None:
        """Count what was spent, in place of what was reserved at `at`; with Redis away, the reservation stands."""
        name, change = self._name(at), spent - reserved

        async def add(redis: Any) -> None:
            await redis.incrby(name, change)

        try:
            await self._link.ask(add)
        except RedisAway:
            return

    def _name(self, at: datetime) -> str:
        return f"{self._link.prefix}:judging:{at.date().isoformat()}"
