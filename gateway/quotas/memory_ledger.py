"""The ledger of one process, in its memory. It never waits for anything."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final

from gateway.quotas.ledger import KEPT_MS, TTL_MS, Answer, Claim, Level, Reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

#: What has ended is looked for this often, in milliseconds.
SWEEP_MS: Final = 60_000


@dataclass(slots=True)
class _Counter:
    used: int
    held: int
    until_ms: int


@dataclass(slots=True)
class _Lease:
    reservation: Reservation
    expires_ms: int


class MemoryLedger:
    """Counters that end with the process. A reservation expires `ttl_ms` after it was made or renewed.

    `opening` tells what was used of a counter before it is first seen here.
    """

    def __init__(self, *, ttl_ms: int = TTL_MS, opening: Callable[[str], int] = lambda _: 0) -> None:
        self._ttl_ms = ttl_ms
        self._opening = opening
        self._counters: dict[str, _Counter] = {}
        self._open: dict[str, _Lease] = {}
        self._due: list[tuple[int, str]] = []
        self._lapsed: dict[str, int] = {}
        self._sweeps_at_ms = 0
        self._ids = count()

    @property
    def open(self) -> Iterator[Reservation]:
        """Yield the reservations that are open."""
        return (lease.reservation for lease in self._open.values())

    @property
    def lapsed(self) -> Collection[str]:
        """Return the ids of those that have expired and may still be settled."""
        return self._lapsed.keys()

    def new_id(self) -> str:
        """Return an id that no reservation has had."""
        return str(next(self._ids))

    async def reserve(self, reservation: Reservation, now_ms: int) -> Answer:
        """Hold a reservation's claims, all or none; see `Ledger.reserve`."""
        return self.grant(reservation, now_ms)

    def grant(self, reservation: Reservation, now_ms: int) -> Answer:
        """Hold a reservation's claims, all or none, for whoever has no coroutine to wait in."""
        self._expire(now_ms)
        former = self._give_back(reservation.id)
        refused = tuple(not self.known(claim.counter).admits(claim) for claim in reservation.claims)
        if not any(refused):
            self.hold(reservation, min(now_ms + self._ttl_ms, reservation.last_ms))
        elif former is not None:
            self.hold(former.reservation, former.expires_ms)
        return Answer(tuple(self.known(claim.counter) for claim in reservation.claims), refused)

    async def settle(self, reservation: Reservation, spent: Sequence[int], now_ms: int) -> None:
        """Count what was used, once; see `Ledger.settle`."""
        self.close(reservation, spent, now_ms)

    def known(self, counter: str) -> Level:
        """Return how full a counter is."""
        found = self._counters.get(counter)
        return Level(self._opening(counter)) if found is None else Level(found.used, found.held)

    async def tend(self, now_ms: int, watched: Mapping[str, int]) -> None:  # noqa: ARG002 - all is known here
        """Renew what is open."""
        self.renew(now_ms)

    def renew(self, now_ms: int) -> None:
        """Renew what is open; what was not renewed in time has expired."""
        self._expire(now_ms)
        for id_, lease in self._open.items():
            if lease.expires_ms < min(now_ms + self._ttl_ms * 2 // 3, lease.reservation.last_ms):
                self._open[id_] = replace(lease, expires_ms=min(now_ms + self._ttl_ms, lease.reservation.last_ms))
                heapq.heappush(self._due, (self._open[id_].expires_ms, id_))

    def hold(self, reservation: Reservation, expires_ms: int) -> None:
        """Hold claims, whether they fit in or not."""
        self._give_back(reservation.id)
        for claim in reservation.claims:
            self._counter(claim).held += claim.amount
        self._open[reservation.id] = _Lease(reservation, expires_ms)
        heapq.heappush(self._due, (expires_ms, reservation.id))

    def close(self, reservation: Reservation, spent: Sequence[int], now_ms: int) -> bool:
        """Settle a reservation; tell whether it was open, or had at least not been settled before."""
        self._expire(now_ms)
        lease, lapsed_at = self._give_back(reservation.id), self._lapsed.pop(reservation.id, None)
        if lease is None and lapsed_at is None:
            return False
        for claim, amount in zip(reservation.claims, spent, strict=True):
            if amount:
                self._counter(claim).used += amount
        return True

    def _counter(self, claim: Claim) -> _Counter:
        found = self._counters.get(claim.counter)
        if found is None:
            found = self._counters[claim.counter] = _Counter(self._opening(claim.counter), 0, claim.until_ms)
        found.until_ms = max(found.until_ms, claim.until_ms)
        return found

    def _give_back(self, id_: str) -> _Lease | None:
        lease = self._open.pop(id_, None)
        for claim in lease.reservation.claims if lease else ():
            if (counter := self._counters.get(claim.counter)) is not None:
                counter.held -= claim.amount
        return lease

    def _expire(self, now_ms: int) -> None:
        """Give back what nobody has settled or renewed in time."""
        while self._due and self._due[0][0] <= now_ms:
            _, id_ = heapq.heappop(self._due)
            lease = self._open.get(id_)
            if lease is not None and lease.expires_ms <= now_ms:
                self._give_back(id_)
                self._lapsed[id_] = now_ms
        if now_ms >= self._sweeps_at_ms:
            self._sweeps_at_ms = now_ms + SWEEP_MS
            self._sweep(now_ms)

    def _sweep(self, now_ms: int) -> None:
        """Forget counters that have ended or count nothing, and what can no longer be settled."""
        self._counters = {
            name: counter
            for name, counter in self._counters.items()
            if counter.until_ms > now_ms and (counter.held or counter.used != self._opening(name))
        }
        self._lapsed = {id_: at for id_, at in self._lapsed.items() if at > now_ms - KEPT_MS}
