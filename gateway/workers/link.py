"""The way to what the parent keeps, in place of Redis: the same commands, as far as sharing has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from gateway.sharing.away import RedisAway
from gateway.workers.channel import ChannelClosed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from gateway.workers.channel import Channel

Answer = TypeVar("Answer")


class TeamLink:
    """Asks the parent, which is away only once it has ended; then the worker is about to end, too."""

    prefix = "pointsman"

    def __init__(self, channel: Channel) -> None:
        self._commands = Commands(channel)

    async def ask(self, command: Callable[[Any], Awaitable[Answer]]) -> Answer:
        """Return what the parent answers to a command. Raises `RedisAway`."""
        try:
            return await command(self._commands)
        except ChannelClosed as error:
            raise RedisAway(str(error)) from error


class Commands:
    """Redis's commands, sent one by one. As there, texts may be given as bytes, and bytes are what comes back."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def get(self, name: str) -> bytes | None:
        """Return a value."""
        return cast("bytes | None", await self._one("get", name=name))

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return several values."""
        return cast("list[bytes | None]", await self._one("mget", keys=list(keys)))

    async def set(self, name: str, value: str | bytes, *, nx: bool = False) -> bool:
        """Keep a value for ever, with `nx` only where there is none; tell whether it was taken."""
        return bool(await self._one("set", name=name, value=_text(value), life_s=None, only_new=nx))

    async def hgetall(self, name: str) -> dict[bytes, bytes]:
        """Return all fields of a hash."""
        return cast("dict[bytes, bytes]", await self._one("hgetall", name=name))

    def pipeline(self, *, transaction: bool = False) -> Pipeline:
        """Return what takes several commands, and sends them together; the parent does them in one step anyway."""
        del transaction
        return Pipeline(self._channel)

    async def _one(self, command: str, **details: Any) -> Any:
        (answer,) = await self._channel.ask("values", [(command, details)])
        return _bytes(answer)


class Pipeline:
    """Commands that are sent together."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._commands: list[tuple[str, dict[str, Any]]] = []

    def set(self, name: str, value: str | bytes, *, ex: int | None = None, px: int | None = None) -> None:
        """Keep a value, for so many seconds (`ex`) or milliseconds (`px`)."""
        life_s = ex if px is None else px / 1000
        details = {"name": name, "value": _text(value), "life_s": life_s, "only_new": False}
        self._commands.append(("set", details))

    def hset(self, name: str, *, mapping: Mapping[str, str]) -> None:
        """Set fields of a hash."""
        self._commands.append(("hset", {"name": name, "mapping": dict(mapping)}))

    def hdel(self, name: str, *keys: str) -> None:
        """Take fields of a hash away."""
        self._commands.append(("hdel", {"name": name, "keys": keys}))

    async def execute(self) -> list[Any]:
        """Send them; return the answers."""
        return [_bytes(answer) for answer in await self._channel.ask("values", self._commands)]


def _text(value: str | bytes) -> str:
    """Return a value as JSON can hold it: each byte as one character."""
    return (value.encode() if isinstance(value, str) else value).decode("latin-1")


def _bytes(answer: Any) -> Any:
    """Return an answer as Redis's client would: texts as bytes."""
    if isinstance(answer, str):
        return answer.encode("latin-1")
    if isinstance(answer, list):
        return [_bytes(one) for one in answer]
    if isinstance(answer, dict):
        return {name.encode(): _bytes(one) for name, one in answer.items()}
    return answer
