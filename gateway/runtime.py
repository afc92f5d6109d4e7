"""All that a configuration built: what decides, callers, backends. Immutable; a reload builds another beside it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.backend import Backend
    from gateway.caching.caching import Caching
    from gateway.callers import Callers
    from gateway.config.models import GatewayConfig
    from gateway.deciding import Decider
    from gateway.implicit.ear import Listener
    from gateway.policy import Policies


@dataclass(frozen=True, slots=True)
class Parts:
    """What decides, who may call, who answers, what is answered again, and who listens."""

    decider: Decider
    callers: Callers
    backends: Mapping[str, Backend]
    caching: Caching
    listeners: tuple[Listener, ...] = ()


class Runtime:
    """What requests are served with. `close` gives its resources back once no request uses it any more."""

    def __init__(
        self,
        config: GatewayConfig,
        digest: str,
        parts: Parts,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.config = config
        self.digest = digest
        self.decider = parts.decider
        self.callers = parts.callers
        self.backends = parts.backends
        self.caching = parts.caching
        self.listeners = parts.listeners
        self._close = close
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def policies(self) -> Policies:
        """Return all that clients may name."""
        return self.decider.policies

    def in_use(self) -> Self:
        """Return it as a context, which keeps it open while a request is served with it."""
        return self

    def __enter__(self) -> Self:
        """Keep it open."""
        if not self._users:
            self._idle.clear()
        self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Keep it open no longer for this request."""
        self._users -= 1
        if not self._users:
            self._idle.set()

    async def aclose(self, patience_s: float) -> None:
        """Wait until no request uses it, at most `patience_s`, then give everything back."""
        try:
            async with asyncio.timeout(patience_s):
                await self._idle.wait()
        except TimeoutError:
            pass  # requests that are still open lose their backends: the time that they were given is up
        finally:
            self.decider.signals.close()
            await self.caching.settle()
            for listener in self.listeners:
                await listener.aclose()
            await self._close()
