"""What one replica shares with the others, for as long as the gateway is open."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.sharing.away import RedisAway
from gateway.sharing.beat import beat
from gateway.sharing.link import Link
from gateway.sharing.replicas import Replicas
from gateway.sharing.rests import SharedRests
from gateway.sharing.sessions import SharedSessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.config.models import RedisConfig
    from gateway.endpoints.fleet import Fleet
    from gateway.metrics import Metrics


class Sharing:
    """Sessions, and which endpoints rest. `link` is there for whatever else is shared."""

    def __init__(self, config: RedisConfig, fleet: Fleet, metrics: Metrics) -> None:
        self.link = Link(
            config.url.get_secret_value(),
            prefix=config.prefix,
            timeout_s=config.timeout_ms / 1000,
            on_change=metrics.redis_up.set,
        )
        self.sessions = SharedSessions(self.link)
        self._rests = SharedRests(self.link, fleet)
        self._metrics = metrics
        self._replicas: Replicas | None = None
        #: Its name among the others: pods have names of their own, the processes of one machine share its name.
        self.replica = f"{os.uname().nodename}:{os.getpid()}:{uuid4().hex[:8]}"
        self._beat: asyncio.Task[None] | None = None
        metrics.redis_up.set(True)

    def start(self, digest: Callable[[], str]) -> None:
        """Begin to exchange; `digest` returns that of the configuration in force."""
        self._replicas = Replicas(self.link, self.replica, digest, self._count)
        self._beat = asyncio.ensure_future(beat((self._replicas, self._rests, self.sessions)))

    async def aclose(self) -> None:
        """Tell what has not been told, say good-bye, and close."""
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        with suppress(RedisAway):  # the link has logged it, and nobody waits any more
            await self.sessions.sync()
            if self._replicas is not None:
                await self._replicas.leave()
        await self.link.aclose()

    def _count(self, replicas: int, differing: int) -> None:
        self._metrics.replicas.set(replicas)
        self._metrics.replicas_differing.set(differing)
