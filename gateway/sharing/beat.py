"""Keeps what replicas share up to date, in the background."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds between two exchanges.
BEAT_S: Final = 0.5


class Shared(Protocol):
    """Something that is exchanged with the other replicas from time to time."""

    async def sync(self) -> None:
        """Exchange it. Raises `RedisAway`."""
        ...


async def beat(parts: Sequence[Shared], every_s: float = BEAT_S) -> None:
    """Exchange all parts again and again, until cancelled; what fails for want of Redis is tried at the next beat."""
    while True:
        for part in parts:
            with suppress(RedisAway):  # the link has logged it
                await part.sync()
        await asyncio.sleep(every_s)
