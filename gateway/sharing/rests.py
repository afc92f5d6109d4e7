"""Which endpoints and keys rest, told to the other replicas: what one has learned, the others need not find out."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from gateway.endpoints.endpoint import KeyRest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.endpoints.endpoint import Condition
    from gateway.endpoints.fleet import Fleet
    from gateway.sharing.away import Linked

#: How much longer a rest must be than what is known of it, in seconds, to be told: clocks differ, and so do roundings.
NEWS_S = 0.05
#: What stands before a key's name: whether it rests because it was refused, or because the endpoint asked for that.
REFUSED, LIMITED = "key:", "limited:"

Until = dict[str, float]


class SharedRests:
    """Exchanges the rests of a fleet. Among replicas times are of the wall clock, here of the monotonic one."""

    def __init__(self, link: Linked, fleet: Fleet) -> None:
        self._link = link
        self._fleet = fleet
        self._key = f"{link.prefix}:rests"

    async def sync(self) -> None:
        """Take over the rests that others have told, and tell those of ours that are longer. Raises `RedisAway`."""
        told: Mapping[Any, Any] = await self._link.ask(lambda redis: redis.hgetall(self._key))
        ahead_s = time.time() - time.monotonic()
        now = time.time()
        known = {name.decode(): _read(value) for name, value in told.items()}
        for name, until in known.items():
            self._take(name, until, ahead_s)
        ours = {name: _until(condition, ahead_s) for name, condition in self._fleet.conditions.items()}
        news = {name: until for name, until in ours.items() if _is_news(until, known.get(name, {}), now)}
        over = [name for name, until in known.items() if max(until.values(), default=0.0) < now]
        if news or over:
            await self._tell(news, over)

    async def _tell(self, news: Mapping[str, Until], over: list[str]) -> None:
        async def write(redis: Any) -> None:
            pipeline = redis.pipeline(transaction=False)
            if over:
                pipeline.hdel(self._key, *over)
            if news:
                pipeline.hset(self._key, mapping={name: json.dumps(until) for name, until in news.items()})
            await pipeline.execute()

        await self._link.ask(write)

    def _take(self, name: str, until: Until, ahead_s: float) -> None:
        condition = self._fleet.conditions.get(name)
        if condition is None:
            return  # an endpoint that this configuration does not have
        for what, at in until.items():
            local = at - ahead_s
            if what == "rests":
                condition.breaker.rest_until(local)
            elif what == "waits":
                condition.breaker.waits_until = max(condition.breaker.waits_until, local)
            elif what.startswith((REFUSED, LIMITED)):
                key = what.removeprefix(REFUSED).removeprefix(LIMITED)
                rest = condition.keys.setdefault(key, KeyRest())
                rest.asked_for = rest.asked_for if rest.until > local else what.startswith(LIMITED)
                rest.until = max(rest.until, local)


def _until(condition: Condition, ahead_s: float) -> Until:
    """Return until when an endpoint and its keys rest, by the wall clock."""
    until = {"rests": condition.breaker.rests_until, "waits": condition.breaker.waits_until}
    until |= {f"{LIMITED if rest.asked_for else REFUSED}{key}": rest.until for key, rest in condition.keys.items()}
    return {what: at + ahead_s for what, at in until.items() if at > 0}


def _is_news(until: Until, known: Until, now: float) -> bool:
    return any(at > now and at > known.get(what, 0.0) + NEWS_S for what, at in until.items())


def _read(value: bytes) -> Until:
    """Return what another replica has told; what cannot be read says nothing."""
    try:
        found = json.loads(value)
    except ValueError:
        return {}
    members = found.items() if isinstance(found, dict) else ()
    return {what: float(at) for what, at in members if isinstance(at, int | float)}
