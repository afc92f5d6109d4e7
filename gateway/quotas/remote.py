"""The ledger that lives in Redis: one Lua script, each of whose calls is one step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoScriptError

from gateway.quotas.ledger import Answer, Level
from gateway.quotas.messages import Command, reserving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis.asyncio import Redis

    from gateway.quotas.ledger import Reservation
    from gateway.quotas.messages import Message
    from gateway.sharing.link import Link

SCRIPT: Final = files("gateway.quotas").joinpath("ledger.lua").read_text(encoding="utf-8")
SHA: Final = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class Era:
    """A time in which Redis has lost no data, and how many calls it has answered in it."""

    number: int
    name: str
    calls: int


@dataclass(frozen=True, slots=True)
class Told:
    """What Redis answers: its era, which is another one after it has lost data, and the counters asked about."""

    era: str
    answer: Answer


class Remote:
    """Asks Redis. Every method raises `RedisAway`; what it was asked to do may have been done all the same.

    Counters that are not declared as keys are touched when a reservation expires, so that all keys carry one hash tag.
    `replica` is one word.
    """

    def __init__(self, link: Link, *, replica: str) -> None:
        if not replica or any(map(str.isspace, replica)):
            raise ValueError(f"a replica's name has to be one word, not {replica!r}")
        self.replica = replica
        self._link = link
        self._names = (f"{replica}-{number}" for number in count())
        self._heard = Era(0, "", 0)
        self._prefix = f"{link.prefix}{{quotas}}:"

    async def reserve(self, reservation: Reservation, expires_ms: int, now_ms: int) -> Told:
        """Hold a reservation's claims, all or none."""
        return await self._call(reserving(reservation, expires_ms, now_ms), now_ms)

    async def renew(self, expiries: Mapping[str, int], now_ms: int) -> Told:
        """Let open reservations expire later."""
        pairs = (part for id_, expires_ms in expiries.items() for part in (id_, expires_ms))
        return await self._call(Command("renew", (), tuple(pairs)), now_ms)

    async def look(self, counters: Sequence[str], now_ms: int) -> Told:
        """Read counters."""
        return await self._call(Command("look", tuple(counters)), now_ms)

    async def tell(self, messages: Sequence[Message], now_ms: int) -> list[Told]:
        """Tell what came to pass, in order; each message counts once, however often it is told."""
        commands = [message.command(now_ms) for message in messages]
        if len(commands) == 1:
            return [await self._call(commands[0], now_ms)]

        async def pipe(redis: Redis) -> list[bytes]:
            await redis.script_load(SCRIPT)
            async with redis.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.evalsha(SHA, *self._arguments(command, now_ms))
                return await pipeline.execute()

        return [self._told(raw) for raw in await self._link.ask(pipe)]

    async def _call(self, command: Command, now_ms: int) -> Told:
        arguments = self._arguments(command, now_ms)

        async def run(redis: Redis) -> bytes:
            try:
                told: bytes = await redis.evalsha(SHA, *arguments)
            except NoScriptError:
                told = await redis.eval(SCRIPT, *arguments)
            return told

        return self._told(await self._link.ask(run))

    def _arguments(self, command: Command, now_ms: int) -> tuple[Any, ...]:
        prefix = self._prefix
        heard = self._heard.number, self._heard.name, self._heard.calls
        keys = (prefix, *(f"{prefix}c:{counter}" for counter in command.counters))
        return len(keys), *keys, command.operation, now_ms, next(self._names), *heard, *command.arguments

    def _told(self, raw: bytes) -> Told:
        number, name, calls, *rest = raw.decode().split()
        # Answers may come in another order than that in which they were given.
        self._heard = max(self._heard, Era(int(number), name, int(calls)))
        numbers = [int(one) for one in rest]
        levels = tuple(Level(used, held) for used, held in zip(numbers[::3], numbers[1::3], strict=True))
        return Told(f"{number}:{name}", Answer(levels, tuple(map(bool, numbers[2::3]))))
