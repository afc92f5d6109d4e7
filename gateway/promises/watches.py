"""Watches every promise of a gateway, by what its log tells, for as long as it is open."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.promises.watch import Watch
from gateway.promotion.following import PIECE, Following
from gateway.store.base import StoreError
from routers.conformal.promising import Promising

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.metrics import Metrics
    from gateway.policy import Policy
    from gateway.store.base import LoggedEvent, Store

logger = logging.getLogger("pointsman")

#: Seconds between two looks at the log.
BEAT_S: Final = 1.0
#: How far back the log is read for what was observed before a restart.
HISTORY: Final = timedelta(days=30)


class Watches:
    """Looks at the log once a second. A promise that is proved anew is watched anew.

    `policies` are those in force, `least` the smallest chance that an answer under a policy has to be judged.
    """

    def __init__(
        self,
        policies: Callable[[], Mapping[str, Policy]],
        least: Callable[[str], float],
        log: Store,
        metrics: Metrics,
    ) -> None:
        self._policies, self._least, self._log, self._metrics = policies, least, log, metrics
        self._following = Following(log)
        self._watches: dict[str, Watch] = {}
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, so that what was found before holds from the first request on; then begin to watch."""
        await self.look()
        self._begin()

    async def aclose(self) -> None:
        """End."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def look(self) -> None:
        """Take the promises in force, and count what the log has of them since the last time."""
        try:
            await self._take()
            if self._watches:
                await self._following.news(self._count)
            else:
                self._following.rest()
        except StoreError as error:
            logger.error("promise.log_failed", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all
        self._show()

    async def _take(self) -> None:
        """Watch what promises something now; go on with what was watched before. Raises `StoreError`."""
        found: dict[str, Watch] = {}
        for name, promising in _promises(self._policies()):
            known, least = self._watches.get(name), self._least(name)
            if known is not None and known.least == least and promising.pledge in {known.origin, known.pledge}:
                known.take(promising)
                found[name] = known
            else:
                await self._following.begin()
                found[name] = await self._restored(Watch(name, promising.pledge, promising, least))
        self._watches = found

    async def _restored(self, watch: Watch) -> Watch:
        """Count what the log has of a promise already. Raises `StoreError`."""
        logged = self._log.joined(datetime.now(UTC) - HISTORY, policy=watch.policy)
        while events := await asyncio.to_thread(_some, logged):
            for event in events:
                watch.hear(event)
        return watch

    def _count(self, event: LoggedEvent) -> None:
        watch = self._watches.get(event.decision.policy)
        if watch is not None:
            watch.hear(event)

    def _begin(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watch())
        self._watching.add_done_callback(self._ended)

    def _ended(self, watching: asyncio.Task[None]) -> None:
        """Watch on after a defect: a promise that nobody watches is no promise."""
        if not watching.cancelled() and (defect := watching.exception()) is not None:
            logger.error("promise.defect", exc_info=defect)
            self._begin()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self.look()

    def _show(self) -> None:
        metrics = self._metrics
        for gauge in (metrics.promise_bound, metrics.promise_alarm, metrics.promise_setting):
            gauge.clear()
        for name, watch in self._watches.items():
            metrics.promise_bound.labels(name).set(watch.monitor.bound)
            metrics.promise_alarm.labels(name).set(watch.alarm)
            metrics.promise_setting.labels(name).set(-1 if watch.pledge.setting is None else watch.pledge.setting)


def _promises(policies: Mapping[str, Policy]) -> Iterator[tuple[str, Promising]]:
    """Yield each policy whose own router promises something, and the router."""
    for name, policy in policies.items():
        if isinstance(policy.route.router, Promising):
            yield name, policy.route.router


def _some(logged: Iterator[LoggedEvent]) -> list[LoggedEvent]:
    return list(islice(logged, PIECE))
