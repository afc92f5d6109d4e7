"""Where it is remembered what was asked lately: in this process."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.implicit.seen import Seen

#: Requests that are remembered by a process; of more, those that were silent longest are forgotten.
MAX_SEEN: Final = 20_000


class Memory(Protocol):
    """Remembers requests by their digests, each for a while."""

    async def secret(self) -> bytes:
        """Return the key that digests and sketches are made with; once it is another, all is forgotten."""
        ...

    async def recall(self, keys: Sequence[bytes], now: float) -> list[Seen | None]:
        """Return what is remembered under each key."""
        ...

    async def keep(self, seen: Mapping[bytes, Seen], now: float) -> None:
        """Remember requests by their keys."""
        ...


class LocalMemory:
    """Remembers in this process, for `ttl_s` seconds after a request was last heard of.

    Without a `key`, one is drawn that dies with the process.
    """

    def __init__(self, ttl_s: float, key: bytes = b"", most: int = MAX_SEEN) -> None:
        self._ttl_s = ttl_s
        self._secret = key or secrets.token_bytes(32)
        self._most = most
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    async def secret(self) -> bytes:
        """Return the key."""
        return self._secret

    async def recall(self, keys: Sequence[bytes], now: float) -> list[Seen | None]:
        """Return what is remembered under each key."""
        self._forget(now)
        seen = self._seen.get
        return [seen(key) for key in keys]

    async def keep(self, seen: Mapping[bytes, Seen], now: float) -> None:
        """Remember requests by their keys."""
        self._forget(now)
        for key, one in seen.items():
            self._seen[key] = one
            self._seen.move_to_end(key)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def _forget(self, now: float) -> None:
        """Forget those whose time is up: the first ones, as each goes to the end when it is heard of."""
        while self._seen and next(iter(self._seen.values())).last < now - self._ttl_s:
            self._seen.popitem(last=False)
