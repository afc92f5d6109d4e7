"""What the script in Redis is asked: commands, and those messages that count once, however often they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from gateway.quotas.ledger import KEPT_MS

if TYPE_CHECKING:
    from gateway.quotas.ledger import Reservation

#: Redis deletes at once what is to be kept for no time.
LEAST_KEPT_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Command:
    """One call of the script: the operation, its counters, and its arguments."""

    operation: str
    counters: tuple[str, ...] = ()
    arguments: tuple[str | int, ...] = ()


class Message(Protocol):
    """Something that came to pass, of which Redis has to be told."""

    def command(self, now_ms: int, /) -> Command:
        """Return the command that tells it."""
        ...


@dataclass(frozen=True, slots=True)
class Settlement:
    """A reservation was settled. `era` is the one in which Redis granted it, empty where it did not."""

    reservation: Reservation
    spent: tuple[int, ...]
    era: str

    def command(self, now_ms: int) -> Command:
        """Return the command that counts what was used."""
        claims = self.reservation.claims
        parts = (
            part
            for claim, amount in zip(claims, self.spent, strict=True)
            for part in (amount, _kept_ms(claim.until_ms, now_ms))
        )
        counters = tuple(claim.counter for claim in claims)
        return Command("settle", counters, (self.reservation.id, self.era, *parts))


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A reservation that Redis may have granted, unheard, was given up; `name` is this message's own."""

    id: str
    name: str

    def command(self, _now_ms: int) -> Command:
        """Return the command that gives back what is held."""
        return Command("forget", (), (self.id, self.name))


@dataclass(frozen=True, slots=True)
class Holding:
    """A reservation was made while Redis was away; `name` is this message's own."""

    reservation: Reservation
    expires_ms: int
    name: str

    def command(self, now_ms: int) -> Command:
        """Return the command that holds its claims, whether they fit in or not."""
        counters, arguments = _held(self.reservation, self.expires_ms, now_ms)
        return Command("hold", counters, (*arguments, self.name))


@dataclass(frozen=True, slots=True)
class Sum:
    """What is to be added to a counter: what was used while Redis was away, and what had been before it lost all."""

    counter: str
    used: int
    lost: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Addition:
    """Sums to be added to counters, all at once; `name` is this message's own."""

    sums: tuple[Sum, ...]
    name: str

    def command(self, now_ms: int) -> Command:
        """Return the command that adds them."""
        parts = (part for one in self.sums for part in (one.used, one.lost, _kept_ms(one.until_ms, now_ms)))
        return Command("add", tuple(one.counter for one in self.sums), (self.name, *parts))


def reserving(reservation: Reservation, expires_ms: int, now_ms: int) -> Command:
    """Return the command that holds a reservation's claims, all or none."""
    return Command("reserve", *_held(reservation, expires_ms, now_ms))


def ended(until_ms: int, now_ms: int) -> bool:
    """Tell whether a counter's window is over, so that nobody asks any more how full it is."""
    return until_ms - KEPT_MS <= now_ms


def _held(reservation: Reservation, expires_ms: int, now_ms: int) -> tuple[tuple[str, ...], tuple[str | int, ...]]:
    claims = reservation.claims
    parts = (part for c in claims for part in (c.amount, c.limit, _kept_ms(c.until_ms, now_ms)))
    return tuple(claim.counter for claim in claims), (reservation.id, expires_ms, *parts)


def _kept_ms(until_ms: int, now_ms: int) -> int:
    return max(until_ms - now_ms, LEAST_KEPT_MS)
