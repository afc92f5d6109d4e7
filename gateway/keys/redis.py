"""Keys in Redis, which all replicas read and write.

Four keys hold them: a hash of records by id, a hash of ids by the names in use, a sorted set of ids by the version at
which each was last written, and the version with the epoch. Each call is one script, so that nobody sees half of one.
As durable as Redis is: it should append to its file (`appendonly yes`), and evict nothing (`noeviction`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from gateway.keys.codec import decode, encode
from gateway.keys.errors import KeysAway
from gateway.keys.store import PAGE, Changes, changed_meanwhile, name_taken
from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.keys.key import VirtualKey
    from gateway.sharing.link import Link

_CHANGES: Final = """
local records, order, state = KEYS[1], KEYS[3], KEYS[4]
local since, page = ARGV[1], tonumber(ARGV[2])
local known = redis.call('HMGET', state, 'epoch', 'version')
local epoch, version = known[1] or '', tonumber(known[2] or 0)
local found = redis.call('ZRANGEBYSCORE', order, '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, page)
local upto = version
if #found == 2 * page then upto = tonumber(found[#found]) end
local answer = {epoch, version, upto}
for n = 1, #found, 2 do answer[#answer + 1] = redis.call('HGET', records, found[n]) or '' end
return answer
"""

_WRITE: Final = """
local records, names, order, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, name, revision, record, epoch = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local restores = ARGV[6] == '1'
local stored = redis.call('HGET', records, id)
if stored == record then return 'stored' end
local before = stored and cjson.decode(stored) or {revision = 0}
if restores and before.revision >= revision then return 'stored' end
if not restores and before.revision ~= revision - 1 then return 'changed' end
local holder = name ~= '' and redis.call('HGET', names, name) or id
if holder ~= id and not restores then return 'taken' end
if stored and redis.call('HGET', names, before.name) == id then redis.call('HDEL', names, before.name) end
if name ~= '' and holder == id then redis.call('HSET', names, name, id) end
redis.call('HSETNX', state, 'epoch', epoch)
redis.call('HSET', records, id, record)
redis.call('ZADD', order, redis.call('HINCRBY', state, 'version', 1), id)
return 'stored'
"""


class RedisKeyStore:
    """The keys under a link's prefix. The link stays open: others use it too."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._keys = [f"{link.prefix}:{{keys}}:{part}" for part in ("records", "names", "order", "state")]

    async def changes(self, since: int) -> Changes:
        """Return what was written after a version; see `KeyStore.changes`."""
        epoch, version, upto, *records = await self._eval(_CHANGES, str(since), str(PAGE))
        if b"" in records:
            raise KeysAway("Redis has lost records of keys: let it evict nothing (`maxmemory-policy noeviction`)")
        return Changes(epoch.decode(), version, upto, tuple(decode(record) for record in records))

    async def put(self, key: VirtualKey) -> None:
        """Store the next state of a key; see `KeyStore.put`."""
        found = await self._write(key, restores=False)
        if found == b"taken":
            raise name_taken(key)
        if found == b"changed":
            raise changed_meanwhile(key)

    async def restore(self, keys: Sequence[VirtualKey]) -> None:
        """Store what is later than what is stored; see `KeyStore.restore`."""
        for key in keys:
            await self._write(key, restores=True)

    async def aclose(self) -> None:
        """Do nothing: the link is not the store's own."""

    async def _write(self, key: VirtualKey, *, restores: bool) -> Any:
        # The name of a key that was revoked is free again.
        name = "" if key.revoked_at is not None else key.name
        arguments = (key.id, name, str(key.revision), encode(key), uuid4().hex, str(int(restores)))
        return await self._eval(_WRITE, *arguments)

    async def _eval(self, script: str, *arguments: str) -> Any:
        try:
            return await self._link.ask(lambda redis: redis.eval(script, len(self._keys), *self._keys, *arguments))
        except RedisAway as error:
            raise KeysAway(
                f"the keys in Redis cannot be reached: {error}: see that it runs, and `redis.url`"
            ) from error
