"""What the parent keeps for all workers where there is no Redis: counters, the money of judging, sessions, rests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.judging.budget import LocalBudget
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.windows import milliseconds
from gateway.workers.ledger import read
from gateway.workers.sessions import KnownSessions
from gateway.workers.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.quotas.ledger import Claim
    from gateway.workers.channel import Answering


class Table:
    """Answers workers, one question after the other."""

    def __init__(self) -> None:
        self._ledger = MemoryLedger()
        self._budget = LocalBudget()
        self._values = Values()
        self.sessions = KnownSessions()

    @property
    def answering(self) -> Mapping[str, Answering]:
        """Return what answers each question about what is shared."""
        return {
            "reserve": self._reserve,
            "settle": self._settle,
            "tend": self._tend,
            "values": self._values.run,
            "sessions": lambda: list(self.sessions.notes()),
            "reserve_judging": self._reserve_judging,
            "settle_judging": self._settle_judging,
        }

    def forget(self, name: str, at: datetime) -> None:
        """Give back all that a worker held which has ended: what it had not settled nobody will."""
        held = [one for one in self._ledger.open if one.id.startswith(f"{name}-")]
        for reservation in held:
            self._ledger.close(reservation, (0,) * len(reservation.claims), milliseconds(at))

    def _reserve(self, sent: Sequence[Any], now_ms: int) -> list[Any]:
        answer = self._ledger.grant(read(sent), now_ms)
        return [[(level.used, level.held) for level in answer.levels], answer.refused]

    def _settle(self, sent: Sequence[Any], spent: Sequence[int], now_ms: int) -> list[tuple[int, int]]:
        reservation = read(sent)
        self._ledger.close(reservation, spent, now_ms)
        return self._levels(reservation.claims)

    def _tend(self, now_ms: int, counters: Sequence[str]) -> list[tuple[int, int]]:
        """Renew what is open: those who hold it live, or it would have been given back."""
        self._ledger.renew(now_ms)
        return self._look(counters)

    def _levels(self, claims: Sequence[Claim]) -> list[tuple[int, int]]:
        return self._look([claim.counter for claim in claims])

    def _look(self, counters: Sequence[str]) -> list[tuple[int, int]]:
        found = [self._ledger.known(counter) for counter in counters]
        return [(level.used, level.held) for level in found]

    async def _reserve_judging(self, nano_usd: int, most: int, at: str) -> bool:
        return await self._budget.reserve(nano_usd, most, datetime.fromisoformat(at))

    async def _settle_judging(self, reserved: int, spent: int, at: str) -> None:
        await self._budget.settle(reserved, spent, datetime.fromisoformat(at))
