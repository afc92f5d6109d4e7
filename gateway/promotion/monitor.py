"""Watches candidates, and moves them: back within a moment of a bound being crossed, up when that is safe."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.promotion.following import Following
from gateway.promotion.machine import CONFIGURATION, TEST, begin, move, standing_after
from gateway.promotion.steering import steer
from gateway.promotion.types import ROLLED_BACK, Step
from gateway.store.base import StoreError

if TYPE_CHECKING:
    from gateway.events import Move
    from gateway.metrics import Metrics
    from gateway.promotion.progress import Progress
    from gateway.promotion.promotions import Promotions
    from gateway.promotion.register import Register
    from gateway.promotion.steering import Wish
    from gateway.promotion.types import Standing
    from gateway.store.base import LoggedEvent, Store

logger = logging.getLogger("pointsman")

#: Seconds between two looks at what was counted here.
BEAT_S: Final = 0.25
#: Seconds between two looks at what the log and the other replicas tell.
NEWS_S: Final = 1.0
#: The states that the metric tells apart.
STATES: Final = ("shadow", "canary", "ramp", "live", "rolled_back")


class Monitor:
    """Looks at the evidence a few times a second, for as long as the gateway is open.

    Where the log fails, a candidate is taken back all the same, and that is written down as soon as it can be.
    """

    def __init__(self, promotions: Promotions, register: Register, log: Store, metrics: Metrics) -> None:
        self._promotions = promotions
        self._register = register
        self._following = Following(log)
        self._metrics = metrics
        self._unlogged: dict[str, Move] = {}
        self._news_due = 0.0
        self._moving = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, so that what has been decided before holds from the first request on; then begin to watch."""
        self._news_due = 0.0
        await self._beat()
        self._begin()

    async def aclose(self) -> None:
        """End."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def steer(self, progress: Progress, wish: Wish) -> Move:
        """Move a candidate as an operator wishes, at once. Raises `PromotionError`, `StoreError`."""
        async with self._moving:
            made = await steer(self._register, progress.rules, progress.standing, wish, datetime.now(UTC))
            self._take(progress, made)
            self._show()
            return made

    def _begin(self) -> None:
        self._watching = asyncio.ensure_future(self._watch())
        self._watching.add_done_callback(self._ended)

    def _ended(self, watching: asyncio.Task[None]) -> None:
        """Watch on after a defect: a candidate that nobody watches could not be taken back."""
        if not watching.cancelled() and (defect := watching.exception()) is not None:
            logger.error("promotion.defect", exc_info=defect)
            self._begin()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._beat()

    async def _beat(self) -> None:
        async with self._moving:
            if time.monotonic() >= self._news_due:
                self._news_due = time.monotonic() + NEWS_S
                try:
                    await self._hear()
                except StoreError as error:
                    logger.error("promotion.log_failed", extra={"reason": str(error)})  # noqa: TRY400 - it says it all
            for progress in list(self._promotions.progresses.values()):
                await self._look(progress)
            self._show()

    async def _hear(self) -> None:
        """Learn where candidates stand, and what the log has to tell. Raises `StoreError`."""
        progresses = list(self._promotions.progresses.values())
        for progress in progresses:
            await self._tell(progress)
            await self._look_up(progress)
        tested = [one for one in progresses if one.standing is not None and one.standing.tested]
        await self._read(tested)
        for progress in tested:
            policy, tally = progress.rules.policy, progress.tally
            others = await self._register.exchange(policy, tally.run, tally.sums)
            progress.others = progress.others if others is None else others

    async def _read(self, tested: list[Progress]) -> None:
        """Count what the log has of these: once from where their runs began, then on. Raises `StoreError`."""
        if not tested:
            self._following.rest()
            return
        await self._following.begin()
        for progress in tested:
            if not progress.restored and not self._register.shared:
                await self._following.restore(progress, self._count)
            progress.restored = True
        await self._following.news(self._count)

    def _count(self, event: LoggedEvent) -> None:
        progress = self._promotions.progresses.get(event.decision.policy)
        if progress is None or (self._register.shared and not progress.tally.knows(event.decision.id)):
            return  # where replicas share their counts, each counts what passed through itself
        progress.tally.count(event)

    async def _look_up(self, progress: Progress) -> None:
        """Learn where a candidate stands; one that is new begins. Raises `StoreError`.

        What was taken back here while others could not hear of it is taken back for them too.
        """
        known = progress.standing
        standing = await self._register.standing(progress.rules.policy, known)
        if standing is not None and known is not None and _overtaken(known, standing):
            progress.stand(standing)
            await self._make(progress, Step(ROLLED_BACK, TEST, "worse, seen while the others could not hear of it"))
        elif standing is not None and (known is None or standing.number > known.number):
            progress.stand(standing)
        if progress.standing is None or progress.standing.version != progress.rules.version:
            await self._make(progress, begin(progress.rules))

    async def _look(self, progress: Progress) -> None:
        """Move a candidate where the evidence says so."""
        standing = progress.standing
        if standing is None or not standing.tested:
            return
        step = progress.step()
        if step is None:
            return
        try:
            await self._make(progress, step)
        except StoreError as error:
            logger.error("promotion.log_failed", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all
            if step.stage.state == "rolled_back":
                made = move(progress.rules, standing, step, datetime.now(UTC))
                self._unlogged[progress.rules.policy] = made
                self._take(progress, made)

    async def _make(self, progress: Progress, step: Step) -> None:
        """Take a step, unless another came first. Raises `StoreError`."""
        made = move(progress.rules, progress.standing, step, datetime.now(UTC))
        if await self._register.put(made):
            self._take(progress, made)
        elif (standing := await self._register.standing(progress.rules.policy, None)) is not None:
            progress.stand(standing)

    async def _tell(self, progress: Progress) -> None:
        """Write down a move that could not be written when it was made. Raises `StoreError`."""
        policy = progress.rules.policy
        if (made := self._unlogged.get(policy)) is not None:
            await self._register.put(made)
            del self._unlogged[policy]

    def _take(self, progress: Progress, made: Move) -> None:
        """Go by a move that was made here, and tell of it."""
        by = made.by if made.by in (TEST, CONFIGURATION) else "operator"
        self._metrics.promotion_moves.labels(made.policy, made.after, by).inc()
        said = logger.warning if made.after == "rolled_back" else logger.info
        fields = ("policy", "version", "before", "after", "share", "by", "why")
        said("promotion.moved", extra={name: getattr(made, name) for name in fields})
        progress.stand(standing_after(made))

    def _show(self) -> None:
        self._metrics.promotion_state.clear()
        self._metrics.promotion_share.clear()
        for policy, progress in self._promotions.progresses.items():
            if (standing := progress.standing) is not None:
                self._metrics.promotion_share.labels(policy).set(standing.share)
                for state in STATES:
                    self._metrics.promotion_state.labels(policy, state).set(state == standing.state)


def _overtaken(known: Standing, standing: Standing) -> bool:
    """Tell whether others have gone on with what was taken back here: after a rollback only another run goes on."""
    back = known.state == "rolled_back" and standing.run == known.run
    return back and standing.tested and standing.number >= known.number
