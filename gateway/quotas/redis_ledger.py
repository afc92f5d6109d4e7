"""The ledger of many replicas: in Redis, and while Redis is away in the memory of each.

Open or closed. `open`: each replica counts by itself, from what was last known; when Redis is back it is told what was
used meanwhile and what is still open. `closed`: nothing is reserved until Redis is back. What is settled meanwhile is
told later in either case. Where Redis comes back without its data, the highest count that any replica has last heard
of is restored, so that nobody's month begins anew.

Windows and expiry go by the callers' clocks, which have to agree: a clock that is ahead by more than the time for
which reservations are held without renewal would have others' expire.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING, Literal

from gateway.quotas.errors import QuotasUnavailable
from gateway.quotas.known import Known
from gateway.quotas.leases import Lease, Leases
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.messages import Settlement
from gateway.quotas.outbox import Outbox
from gateway.sharing.away import RedisAway

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.quotas.ledger import Answer, Level, Reservation
    from gateway.quotas.remote import Remote, Told

logger = logging.getLogger("pointsman")

#: What to do with requests while Redis is away.
Away = Literal["open", "closed"]


class RedisLedger:
    """Counters that replicas share. A reservation expires `ttl_ms` after it was made or renewed."""

    def __init__(self, remote: Remote, *, ttl_ms: int, away: Away) -> None:
        self._remote = remote
        self._ttl_ms = ttl_ms
        self._away = away
        self._ids = (f"{remote.replica}-{number}" for number in count())
        self._era = ""
        self._known = Known()
        self._outbox = Outbox(remote.replica)
        self._leases = Leases(ttl_ms)
        #: It counts while Redis is away.
        self._local: MemoryLedger | None = None
        self._tending = asyncio.Lock()
        #: Nothing is reserved while Redis is told what came to pass without it.
        self._may_reserve = asyncio.Event()
        self._may_reserve.set()

    @property
    def away(self) -> bool:
        """Tell whether Redis is away, so that this replica counts by itself, or not at all."""
        return self._local is not None

    def new_id(self) -> str:
        """Return an id that no reservation has had, of whatever replica."""
        return next(self._ids)

    async def reserve(self, reservation: Reservation, now_ms: int) -> Answer:
        """Hold a reservation's claims, all or none; see `Ledger.reserve`."""
        while True:
            await self._may_reserve.wait()
            if self._local is not None:
                return await self._reserve_here(self._local, reservation, now_ms)
            if (answer := await self._reserve_there(reservation, now_ms)) is not None:
                return answer

    async def settle(self, reservation: Reservation, spent: Sequence[int], now_ms: int) -> None:
        """Count what was used, once; see `Ledger.settle`. While Redis is away this never waits."""
        counted = self._local is not None and self._local.close(reservation, spent, now_ms)
        if (era := self._leases.end(reservation.id)) is not None:
            await self._tell(Settlement(reservation, tuple(spent), era), now_ms)
        elif counted:
            self._outbox.used(reservation, spent)

    def known(self, counter: str) -> Level:
        """Return how full a counter was when it was last heard of, or is by this replica's own count."""
        return self._known.level(counter) if self._local is None else self._local.known(counter)

    async def tend(self, now_ms: int, watched: Mapping[str, int]) -> None:
        """Renew what is open, and learn how full the watched counters are; or find out whether Redis is back."""
        async with self._tending:
            try:
                if self._local is not None:
                    await self._local.tend(now_ms, {})
                    self._outbox.sweep(now_ms)
                    await self._return(self._local, now_ms)
                await self._look(watched, now_ms)
                await self._flush(now_ms)
                await self._renew(now_ms)
            except RedisAway:
                self._leave(now_ms)

    async def _reserve_here(self, local: MemoryLedger, reservation: Reservation, now_ms: int) -> Answer:
        if self._away == "closed":
            raise QuotasUnavailable
        return await local.reserve(reservation, now_ms)

    async def _reserve_there(self, reservation: Reservation, now_ms: int) -> Answer | None:
        """Ask Redis; return None where it is away. What it may have granted nevertheless it shall forget."""
        expires_ms = self._leases.expiry_ms(reservation, now_ms)
        try:
            told = await self._remote.reserve(reservation, expires_ms, now_ms)
        except (RedisAway, asyncio.CancelledError) as error:
            if reservation.id not in self._leases:
                self._outbox.forget(reservation.id)
            if isinstance(error, asyncio.CancelledError):
                raise
            self._leave(now_ms)
            return None
        self._hear(reservation, told, now_ms)
        if told.answer.granted:
            self._leases.keep(Lease(reservation, expires_ms, told.era))
            if self._local is not None:
                self._local.hold(reservation, expires_ms)
        return told.answer

    async def _tell(self, message: Settlement, now_ms: int) -> None:
        """Tell Redis of a settlement, at once if nothing has to be told before."""
        if self._local is not None or self._outbox:
            self._outbox.put(message)
            return
        try:
            (told,) = await self._remote.tell([message], now_ms)
        except asyncio.CancelledError:
            self._outbox.put(message)
            raise
        except RedisAway:
            self._outbox.put(message)
            local = self._leave(now_ms)
            local.hold(message.reservation, now_ms + self._ttl_ms)
            local.close(message.reservation, message.spent, now_ms)
        else:
            self._hear(message.reservation, told, now_ms)

    async def _return(self, local: MemoryLedger, now_ms: int) -> None:
        """Tell Redis what came to pass without it, and let it count again. Raises `RedisAway`."""
        told = await self._remote.look((), now_ms)
        self._may_reserve.clear()
        try:
            self._heed(told.era, now_ms)
            self._outbox.seal()
            self._leases.adopt(local, now_ms)
            await self._flush(now_ms)
            self._local = None
        finally:
            self._may_reserve.set()

    async def _flush(self, now_ms: int) -> None:
        """Tell Redis all that it has not been told. Raises `RedisAway`; then what was not answered is told again."""
        for lease in self._leases.unheld(self._era, now_ms):
            self._outbox.held(lease.reservation, lease.expires_ms)
        while messages := self._outbox.head():
            for told in await self._remote.tell(messages, now_ms):
                self._heed(told.era, now_ms)
            self._outbox.drop(len(messages))

    async def _renew(self, now_ms: int) -> None:
        """Renew those that expire soon, and give up those that nobody will settle any more."""
        if due := self._leases.due(now_ms):
            self._heed((await self._remote.renew(due, now_ms)).era, now_ms)
            self._leases.renewed(due)
        self._leases.sweep(now_ms)

    async def _look(self, watched: Mapping[str, int], now_ms: int) -> None:
        """Look counters up; also where there are none, to notice whether Redis is there, and has its data."""
        told = await self._remote.look(tuple(watched), now_ms)
        self._heed(told.era, now_ms)
        for (counter, until_ms), level in zip(watched.items(), told.answer.levels, strict=True):
            self._known.note(counter, level, until_ms)

    def _leave(self, now_ms: int) -> MemoryLedger:
        """Count here from now on, starting from what was last known."""
        if self._local is None:
            self._local = MemoryLedger(ttl_ms=self._ttl_ms, opening=lambda counter: self._known.level(counter).used)
            for lease in self._leases:
                self._local.hold(lease.reservation, max(lease.expires_ms, now_ms + 1))
        return self._local

    def _hear(self, reservation: Reservation, told: Told, now_ms: int) -> None:
        """Take in how full a reservation's counters are."""
        self._heed(told.era, now_ms)
        for claim, level in zip(reservation.claims, told.answer.levels, strict=True):
            self._known.note(claim.counter, level, claim.until_ms)

    def _heed(self, era: str, now_ms: int) -> None:
        """Notice that Redis has lost its data: what was last known shall be restored."""
        if self._era not in {"", era}:
            lost = tuple(self._known.lost(now_ms))
            logger.error("quotas.data_lost", extra={"restored": len(lost)})
            self._outbox.add(lost)
        self._era = era
