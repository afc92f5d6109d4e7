"""The ledger of a worker: the parent's, which counts for all workers."""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING, Any

from gateway.quotas.errors import QuotasUnavailable
from gateway.quotas.known import Known
from gateway.quotas.ledger import Answer, Claim, Level, Reservation
from gateway.workers.channel import ChannelClosed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.workers.channel import Channel

logger = logging.getLogger("pointsman")


class TeamLedger:
    """Asks the parent, which does one thing after the other: no worker sees what another has half done.

    Whoever tends it renews what all hold; the parent gives back what a worker held that has died. `name` is the
    worker's, unlike any that there was before.
    """

    def __init__(self, channel: Channel, name: str) -> None:
        self._channel = channel
        self._ids = (f"{name}-{number}" for number in count())
        self._known = Known()
        self._open: set[str] = set()
        self._forgetting: set[asyncio.Task[None]] = set()

    def new_id(self) -> str:
        """Return an id that no reservation has had, of whatever worker."""
        return next(self._ids)

    async def reserve(self, reservation: Reservation, now_ms: int) -> Answer:
        """Hold a reservation's claims, all or none; see `Ledger.reserve`."""
        try:
            levels, refused = await self._channel.ask("reserve", written(reservation), now_ms)
        except ChannelClosed as error:
            raise QuotasUnavailable from error
        except asyncio.CancelledError:
            # It may be granted, and nobody will settle it.
            if reservation.id not in self._open:
                self._forget(reservation, now_ms)
            raise
        answer = Answer(self._heard(reservation.claims, levels), tuple(refused))
        if answer.granted:
            self._open.add(reservation.id)
        return answer

    async def settle(self, reservation: Reservation, spent: Sequence[int], now_ms: int) -> None:
        """Count what was used, once; see `Ledger.settle`. Where the parent is gone, the counts are, too."""
        self._open.discard(reservation.id)
        try:
            levels = await self._channel.ask("settle", written(reservation), list(spent), now_ms)
        except ChannelClosed:
            logger.warning("quotas.parent_gone", extra={"reservation": reservation.id})
            return
        self._heard(reservation.claims, levels)

    def known(self, counter: str) -> Level:
        """Return how full a counter was when it was last heard of."""
        return self._known.level(counter)

    async def tend(self, now_ms: int, watched: Mapping[str, int]) -> None:
        """Renew what is open, and learn anew how full the watched counters are; see `Ledger.tend`."""
        try:
            levels = await self._channel.ask("tend", now_ms, list(watched))
        except ChannelClosed:
            return  # this worker is about to end, as its parent has
        for (counter, until_ms), level in zip(watched.items(), levels, strict=True):
            self._known.note(counter, Level(*level), until_ms)

    def _heard(self, claims: Sequence[Claim], levels: Sequence[Sequence[int]]) -> tuple[Level, ...]:
        found = tuple(Level(*level) for level in levels)
        for claim, level in zip(claims, found, strict=True):
            self._known.note(claim.counter, level, claim.until_ms)
        return found

    def _forget(self, reservation: Reservation, now_ms: int) -> None:
        """Give a reservation back, without waiting for it: the parent hears of it after it has heard of the claim."""
        nothing = (0,) * len(reservation.claims)
        task = asyncio.ensure_future(self.settle(reservation, nothing, now_ms))
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)


def written(reservation: Reservation) -> list[Any]:
    """Return a reservation as it is sent."""
    claims = [[claim.counter, claim.amount, claim.limit, claim.until_ms] for claim in reservation.claims]
    return [reservation.id, claims, reservation.last_ms]


def read(sent: Sequence[Any]) -> Reservation:
    """Return a reservation as it was sent."""
    id_, claims, last_ms = sent
    return Reservation(id_, tuple(Claim(*claim) for claim in claims), last_ms)
