"""Asks endpoints regularly how they are, so that a failure is noticed before a request meets it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.endpoints.endpoint import Condition, Endpoint
    from gateway.endpoints.fleet import Fleet

logger = logging.getLogger("pointsman")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What is asked of a provider (a path below its address), how often, and how long it may take, in seconds.

    `endpoints` are all that are reached there.
    """

    endpoints: Sequence[Endpoint]
    path: str
    every_s: float
    timeout_s: float


class HealthChecks:
    """Asks until it is closed. An endpoint that does not answer rests; one that answers again is used again at once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, checks: Sequence[HealthCheck]) -> None:
        """Begin to ask, in place of what was asked before."""
        self._cancel()
        self._tasks = [asyncio.ensure_future(self._repeat(check)) for check in checks]

    async def aclose(self) -> None:
        """Stop asking."""
        tasks = self._cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cancel(self) -> list[asyncio.Task[None]]:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        return tasks

    async def _repeat(self, check: HealthCheck) -> None:
        while True:
            await self._ask(check)
            await asyncio.sleep(check.every_s)

    async def _ask(self, check: HealthCheck) -> None:
        provider = check.endpoints[0].provider
        problem: ProviderError | None = None
        try:
            await provider.ask_health(check.path, check.timeout_s, check.endpoints[0].keys[0])
        except ProviderError as error:
            problem = error
            logger.warning("health.failed", extra={"provider": provider.name, "reason": str(error)})
        for endpoint in check.endpoints:
            _note(self._fleet.condition(endpoint.name), problem, time.monotonic())


def _note(condition: Condition, problem: ProviderError | None, now: float) -> None:
    """Let an endpoint rest, or end its rest; what it has itself asked to wait is left as it is."""
    breaker = condition.breaker
    if problem is not None:
        breaker.failed(now, at_once=True)
    elif not breaker.closed:
        breaker.rests_until = now
        breaker.succeeded(now)
