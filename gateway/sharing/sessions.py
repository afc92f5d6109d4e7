"""Which model answered a session last, on whichever replica."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from gateway.sessions import MAX_SESSIONS, Last, Sessions
from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from gateway.sharing.away import Linked

#: Seconds after which a session's last model is forgotten: as long as the longest prompt caches.
KEPT_S = 3600
#: What waits to be told at most; of more, the oldest is not told.
MAX_PENDING = 10_000


class SharedSessions(Sessions):
    """Remembers sessions here and in Redis. Redis is asked by `refresh` alone; what is noted is told by `sync`."""

    def __init__(self, link: Linked, max_sessions: int = MAX_SESSIONS) -> None:
        super().__init__(max_sessions)
        self._link = link
        self._pending: dict[tuple[str, str], Last] = {}

    def note(self, policy: str, session: str, model: str, now: float) -> None:
        """Note who answers; the other replicas are told at the next `sync`."""
        super().note(policy, session, model, now)
        self._pending.pop((policy, session), None)
        self._pending[policy, session] = Last(model, now)
        if len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]

    async def refresh(self, policy: str, session: str) -> None:
        """Learn what another replica has noted since; with Redis away, what is known here stands."""
        try:
            value = await self._link.ask(lambda redis: redis.get(self._key(policy, session)))
        except RedisAway:
            return
        told = _read(value, time.time() - time.monotonic())
        known = self.last(policy, session)
        if told is not None and (known is None or told.at > known.at):
            super().note(policy, session, told.model, told.at)

    async def sync(self) -> None:
        """Tell what was noted. Raises `RedisAway`; then it is told the next time."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        ahead_s = time.time() - time.monotonic()

        async def write(redis: Any) -> None:
            pipeline = redis.pipeline(transaction=False)
            for (policy, session), last in pending.items():
                value = json.dumps({"model": last.model, "at": last.at + ahead_s})
                pipeline.set(self._key(policy, session), value, ex=KEPT_S)
            await pipeline.execute()

        try:
            await self._link.ask(write)
        except RedisAway:
            self._pending = {**pending, **self._pending}
            raise

    def _key(self, policy: str, session: str) -> str:
        """Return the key of a session: what callers name it is not stored, only its hash."""
        digest = hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{self._link.prefix}:session:{policy}:{digest}"


def _read(value: bytes | str | None, ahead_s: float) -> Last | None:
    """Return what another replica has noted; None for nothing, and for what cannot be read."""
    try:
        found = json.loads(value) if value is not None else None
        return Last(str(found["model"]), float(found["at"]) - ahead_s) if found else None
    except (ValueError, KeyError, TypeError):
        return None
