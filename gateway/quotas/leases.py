"""The reservations that Redis holds for this replica: which are to be renewed, and which to be held anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.quotas.ledger import KEPT_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.quotas.ledger import Reservation
    from gateway.quotas.memory_ledger import MemoryLedger


@dataclass(frozen=True, slots=True)
class Lease:
    """A reservation that Redis holds, or will once it has been told; an `era` of "" is none that there was."""

    reservation: Reservation
    expires_ms: int
    era: str


class Leases:
    """This replica's leases, and the ids of reservations that expired here while Redis was away."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._leases: dict[str, Lease] = {}
        self._strays: dict[str, int] = {}

    def __iter__(self) -> Iterator[Lease]:
        return iter(self._leases.values())

    def __contains__(self, id_: str) -> bool:
        return id_ in self._leases

    def expiry_ms(self, reservation: Reservation, now_ms: int) -> int:
        """Return when a reservation expires that is made or renewed now."""
        return min(now_ms + self._ttl_ms, reservation.last_ms)

    def keep(self, lease: Lease) -> None:
        """Note a lease."""
        self._leases[lease.reservation.id] = lease

    def end(self, id_: str) -> str | None:
        """Forget a reservation; return the era in which Redis granted it, "" if it did not, None if it is not known."""
        lease, stray = self._leases.pop(id_, None), self._strays.pop(id_, None)
        if lease is not None:
            return lease.era
        return None if stray is None else ""

    def adopt(self, local: MemoryLedger, now_ms: int) -> None:
        """Take over what is open in a ledger that counted while Redis was away, and what expired there."""
        for reservation in local.open:
            lease = self._leases.get(reservation.id)
            if lease is None or lease.reservation != reservation or lease.expires_ms <= now_ms:
                self.keep(Lease(reservation, 0, ""))
        self._strays |= {id_: now_ms for id_ in local.lapsed if id_ not in self._leases}

    def unheld(self, era: str, now_ms: int) -> Iterator[Lease]:
        """Yield those that Redis does not hold in this era, each as it has to be held from now on."""
        for id_, lease in self._leases.items():
            if lease.era != era and (lease.expires_ms > now_ms or not lease.era):
                self._leases[id_] = replace(lease, expires_ms=self.expiry_ms(lease.reservation, now_ms), era=era)
                yield self._leases[id_]

    def due(self, now_ms: int) -> dict[str, int]:
        """Return when those shall expire that would do so soon, by id."""
        soon_ms = now_ms + self._ttl_ms * 2 // 3
        return {
            id_: self.expiry_ms(lease.reservation, now_ms)
            for id_, lease in self._leases.items()
            if lease.expires_ms < min(soon_ms, lease.reservation.last_ms)
        }

    def renewed(self, expiries: Mapping[str, int]) -> None:
        """Note that leases were renewed; those that have ended meanwhile are not."""
        for id_, expires_ms in expiries.items():
            if (lease := self._leases.get(id_)) is not None:
                self._leases[id_] = replace(lease, expires_ms=expires_ms)

    def sweep(self, now_ms: int) -> None:
        """Forget what has expired so long ago that nobody will settle it any more."""
        oldest_ms = now_ms - KEPT_MS
        self._leases = {id_: lease for id_, lease in self._leases.items() if lease.expires_ms > oldest_ms}
        self._strays = {id_: at_ms for id_, at_ms in self._strays.items() if at_ms > oldest_ms}
