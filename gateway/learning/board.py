"""Where replicas tell each other what they have learned: a place in Redis for each router, and in it a share for each.

Nothing on it expires: what a replica has learned counts also when the replica is gone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from gateway.learning.posted import BoardAway, Posted
from gateway.learning.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.config.models import RedisConfig

#: Seconds that Redis may take to answer a learner: no request waits with it.
PATIENCE_S: Final = 5.0

#: Puts a share there, unless a later version is, or it was folded. ARGV: name, version, share, time. Answers what
#: became of it (1: it is there, 0: another version is, -1: it was folded) and the version that is there.
_PUT: Final = """
local shares, versions, folded, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local within = redis.call('HGET', folded, ARGV[1])
if within then return {-1, tonumber(within)} end
local stored = tonumber(redis.call('HGET', versions, ARGV[1]) or -1)
if stored >= tonumber(ARGV[2]) then return {0, stored} end
redis.call('HSET', versions, ARGV[1], ARGV[2])
redis.call('HSET', shares, ARGV[1], ARGV[3])
redis.call('HSETNX', seen, ARGV[1], ARGV[4])
return {1, tonumber(ARGV[2])}
"""

#: Puts the share there into which others are folded, and takes those away. ARGV: the version that has to be there now,
#: or '' for any earlier one, the new version, the share, then a name and a version for each that is in it. Where the
#: present version is named, those that are still there have to be of the version that was folded.
_FOLD: Final = """
local shares, versions, folded, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local stored = tonumber(redis.call('HGET', versions, '*') or -1)
local strict = ARGV[1] ~= ''
if strict and stored ~= tonumber(ARGV[1]) or stored >= tonumber(ARGV[2]) then return 0 end
for i = 4, #ARGV, 2 do
    local live = redis.call('HGET', versions, ARGV[i])
    if strict and live and live ~= ARGV[i + 1] then return 0 end
end
for i = 4, #ARGV, 2 do
    redis.call('HDEL', shares, ARGV[i])
    redis.call('HDEL', versions, ARGV[i])
    redis.call('HDEL', seen, ARGV[i])
    redis.call('HSET', folded, ARGV[i], ARGV[i + 1])
end
redis.call('HSET', versions, '*', ARGV[2])
redis.call('HSET', shares, '*', ARGV[3])
return 1
"""


class Board:
    """The boards of all routers. Every method raises `BoardAway`."""

    def __init__(self, config: RedisConfig) -> None:
        self._prefix = config.prefix
        patience_s = max(PATIENCE_S, config.timeout_ms / 1000)
        self._redis = Redis.from_url(
            config.url.get_secret_value(),
            socket_timeout=patience_s,
            socket_connect_timeout=patience_s,
            retry=Retry(NoBackoff(), 1),
        )

    def look(self, digest: str, name: str) -> Posted:
        """Return what is on a router's board; `name` was seen now."""
        shares, versions, folded, seen = self._keys(digest)
        del shares
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(seen, name, repr(time.time()))
        for key in (versions, folded, seen):
            pipeline.hgetall(key)
        _, *found = _asked(pipeline.execute)
        numbers = [{key.decode(): float(value) for key, value in part.items()} for part in found]
        whole = [{key: int(value) for key, value in part.items()} for part in numbers[:2]]
        return Posted(whole[0], whole[1], numbers[2])

    def read(self, digest: str, names: Sequence[str]) -> dict[str, Share]:
        """Return the shares of those names that are there. What cannot be read is as good as not there."""
        if not names:
            return {}
        shares = self._keys(digest)[0]
        found = _asked(lambda: self._redis.hmget(shares, list(names)))
        return {name: share for name, raw in zip(names, found, strict=True) if (share := _read(raw)) is not None}

    def put(self, digest: str, name: str, share: Share) -> tuple[int, int]:
        """Post a share, or a later version of it; return what became of it, and the version that is there.

        What became of it is 1: it is there; 0: that version, or a later one, was; -1: it was folded.
        """
        keys, raw, now = self._keys(digest), share.to_bytes(), repr(time.time())
        happened, version = _asked(lambda: self._redis.eval(_PUT, 4, *keys, name, share.version, raw, now))
        return int(happened), int(version)

    def fold(self, digest: str, share: Share, instead_of: int | None) -> bool:
        """Post the share into which others are folded, in place of a version, or of any earlier one (None).

        Return whether it was; it is not where others have changed what it is to stand for.
        """
        members = [part for name, version in share.within.items() for part in (name, version)]
        now = "" if instead_of is None else instead_of
        keys = self._keys(digest)
        done = _asked(lambda: self._redis.eval(_FOLD, 4, *keys, now, share.version, share.to_bytes(), *members))
        return bool(done)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def _keys(self, digest: str) -> tuple[str, str, str, str]:
        base = f"{self._prefix}:learned:{{{digest[:32]}}}"
        return f"{base}:shares", f"{base}:versions", f"{base}:folded", f"{base}:seen"


def _asked(command: Callable[[], Any]) -> Any:
    try:
        return command()
    except (RedisError, OSError) as error:
        raise BoardAway(f"Redis did not answer: {type(error).__name__}: {error}") from error


def _read(raw: bytes | None) -> Share | None:
    try:
        return None if raw is None else Share.from_bytes(raw)
    except ValueError:
        return None
