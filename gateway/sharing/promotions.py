"""How far candidates have come, and what was seen of them, over all replicas.

The state is one key for each policy, which only the next move in number may change. What a replica has counted it tells
whole, again and again: all of it is added up, and nothing is added twice. What a replica counted that is gone stays.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from gateway.promotion.machine import standing_after
from gateway.promotion.register import LogRegister
from gateway.promotion.types import Standing
from gateway.sharing.away import RedisAway
from routers.sums import Sums

if TYPE_CHECKING:
    from gateway.events import Move
    from gateway.promotion.register import Durable
    from gateway.sharing.link import Link
    from gateway.store.base import Store

logger = logging.getLogger("pointsman")

#: Seconds for which counts are kept after they were told last: no trial lasts longer without a request.
KEPT_S: Final = 90 * 24 * 3600
#: The next move in number is taken, and any where none is known: Redis may have lost its data.
PUT: Final = """
local number = tonumber(redis.call('HGET', KEYS[1], 'number') or '0')
local next = tonumber(ARGV[1])
if number == next and redis.call('HGET', KEYS[1], 'standing') == ARGV[2] then return 1 end
if number ~= 0 and next ~= number + 1 then return 0 end
redis.call('HSET', KEYS[1], 'number', next, 'standing', ARGV[2])
return 1
"""


class SharedRegister:
    """Redis, and this replica's own log for what it has moved itself.

    While Redis is away, the last known standing holds; a candidate may still be taken back, by this replica for itself.
    """

    shared = True

    def __init__(self, link: Link, replica: str, recorder: Durable, log: Store) -> None:
        self._link = link
        self._replica = replica
        self._own = LogRegister(recorder, log)

    async def standing(self, policy: str, known: Standing | None) -> Standing | None:
        """Return where the candidate stands for all; see `Register.standing`. With Redis away or empty, by the log."""
        try:
            found = await self._found(policy)
            if known is not None and (found is None or found.number < known.number):
                await self._put(policy, known)
        except RedisAway:
            return await self._own.standing(policy, known)
        return found or await self._own.standing(policy, known)

    async def put(self, move: Move) -> bool:
        """Write a move down for all, then into the log; see `Register.put`. With Redis away, into the log alone."""
        try:
            taken = await self._put(move.policy, standing_after(move))
        except RedisAway:
            return await self._own.put(move) if move.after == "rolled_back" else False
        if taken:
            await self._own.put(move)
        return taken

    async def _found(self, policy: str) -> Standing | None:
        async def read(redis: Any) -> Any:
            return await redis.hget(self._key(policy), "standing")

        return _read(await self._link.ask(read))

    async def _put(self, policy: str, standing: Standing) -> bool:
        key, written = self._key(policy), _written(standing)
        return bool(await self._link.ask(lambda redis: redis.eval(PUT, 1, key, standing.number, written)))

    async def exchange(self, policy: str, run: int, sums: Sums | None) -> Sums | None:
        """Tell what was counted here, and add up what the others have told; see `Register.exchange`."""
        key = f"{self._key(policy)}:{run}"

        async def both(redis: Any) -> Any:
            pipeline = redis.pipeline(transaction=False)
            if sums is not None:
                pipeline.hset(key, self._replica, sums.to_bytes())
                pipeline.expire(key, KEPT_S)
            pipeline.hgetall(key)
            return (await pipeline.execute())[-1]

        try:
            found = await self._link.ask(both)
        except RedisAway:
            return None
        total = Sums()
        for replica, value in found.items():
            if replica.decode() != self._replica:
                total += Sums.from_bytes(value)
        return total

    def _key(self, policy: str) -> str:
        return f"{self._link.prefix}:promotion:{policy}"


def _written(standing: Standing) -> str:
    times = {"since": standing.since.isoformat(), "began": standing.began.isoformat()}
    return json.dumps(
        {
            "version": standing.version,
            "state": standing.state,
            "share": standing.share,
            "number": standing.number,
            "run": standing.run,
            **times,
        }
    )


def _read(value: bytes | None) -> Standing | None:
    if value is None:
        return None
    found = json.loads(value)
    since, began = (datetime.fromisoformat(found.pop(name)) for name in ("since", "began"))
    return Standing(**found, since=since, began=began)
