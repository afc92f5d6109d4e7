"""Things that are dear to open and that successive configurations share: local models, encoders, clients.

Each is opened by whoever needs it first, and closed when the last one that needs it lets go: a reload that
does not concern a local model leaves it running.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable


class Closable(Protocol):
    """What can be let go of."""

    async def aclose(self) -> None:
        """Let go of it."""
        ...


Resource = TypeVar("Resource", bound=Closable)


@dataclass(slots=True)
class _Shared:
    opening: asyncio.Task[Closable]
    holders: int = 0


class Resources:
    """Shared resources by key."""

    def __init__(self) -> None:
        self._shared: dict[Hashable, _Shared] = {}

    async def acquire(self, key: Hashable, open_it: Callable[[], Awaitable[Resource]]) -> Resource:
        """Return the resource of that key, opened if nobody holds it. To be given back with `release`.

        Raises whatever `open_it` raises; then nothing is held.
        """
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared(asyncio.ensure_future(_opened(open_it)))
        shared.holders += 1
        try:
            return cast("Resource", await asyncio.shield(shared.opening))
        except BaseException:
            await self.release(key)
            raise

    async def release(self, key: Hashable) -> None:
        """Give a resource back; the last holder closes it."""
        shared = self._shared[key]
        shared.holders -= 1
        if shared.holders:
            return
        del self._shared[key]
        if shared.opening.done():
            if not shared.opening.cancelled() and shared.opening.exception() is None:
                await shared.opening.result().aclose()
            return
        shared.opening.cancel()
        await asyncio.wait({shared.opening})


async def _opened(open_it: Callable[[], Awaitable[Closable]]) -> Closable:
    return await open_it()
