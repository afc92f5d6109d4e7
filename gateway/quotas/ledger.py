"""What a ledger of quotas is: counters, and reservations that hold claims on several of them at once.

A counter has what was used (settled), and what is held by reservations that are still open. A reservation is open
until it is settled, or until it expires because nobody renewed it: then what it held comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A day: as long after its expiry may a reservation still be settled, and as long is a counter kept after its window.
KEPT_MS: Final = 86_400_000
#: For how long a reservation is held that nobody renews: so long after a replica was killed, what it held comes back.
TTL_MS: Final = 60_000


@dataclass(slots=True)
class Claim:
    """So much of a counter, which may not come to more than `limit`. The counter may be forgotten at `until_ms`."""

    counter: str
    amount: int
    limit: int
    until_ms: int


@dataclass(slots=True)
class Reservation:
    """Claims that are granted all or none. It is renewed while it is open, but not beyond `last_ms`."""

    id: str
    claims: tuple[Claim, ...]
    last_ms: int


@dataclass(slots=True)
class Level:
    """How full a counter is: what was used, and what open reservations hold of it."""

    used: int = 0
    held: int = 0

    @property
    def taken(self) -> int:
        """Return what is not free."""
        return self.used + self.held

    def admits(self, claim: Claim) -> bool:
        """Tell whether a claim fits in. One on nothing always does: what is free of charge needs no money."""
        return claim.amount == 0 or self.taken + claim.amount <= claim.limit


@dataclass(slots=True)
class Answer:
    """What came of a reservation: the levels thereafter, and which claims did not fit in, both in the claims' order.

    It is granted if all did; otherwise nothing was changed.
    """

    levels: tuple[Level, ...]
    refused: tuple[bool, ...]

    @property
    def granted(self) -> bool:
        """Tell whether the claims are held."""
        return not any(self.refused)


class Ledger(Protocol):
    """Keeps the counters. Times are milliseconds since 1970, as the caller's clock has them."""

    def new_id(self) -> str:
        """Return an id that no reservation has had, of whatever replica."""
        ...

    async def reserve(self, reservation: Reservation, now_ms: int) -> Answer:
        """Hold a reservation's claims, all or none; a former one of the same id is replaced, or stays if refused.

        Raises `QuotasUnavailable`.
        """
        ...

    async def settle(self, reservation: Reservation, spent: Sequence[int], now_ms: int) -> None:
        """Count what was used of each claim's counter instead of what was held; zeros release it.

        A second time it does nothing. After the reservation has expired it still counts, for a day.
        """
        ...

    def known(self, counter: str) -> Level:
        """Return how full a counter is, as far as is known without asking anybody."""
        ...

    async def tend(self, now_ms: int, watched: Mapping[str, int]) -> None:
        """Renew what is open and make up for what was missed; learn anew how full the watched counters are.

        `watched` says until when each is kept, in milliseconds since 1970. To be called about every second, by one
        caller.
        """
        ...
