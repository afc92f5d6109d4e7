"""A request's permission to be sent: what it holds of its quotas until it is known what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.quotas.claims import spent
from gateway.quotas.errors import QuotaExceeded
from gateway.quotas.ledger import Reservation
from gateway.quotas.windows import milliseconds

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.quotas.claims import Claims, Stake
    from gateway.quotas.ledger import Answer, Ledger
    from gateway.quotas.types import Estimate, Holder


@dataclass(slots=True)
class Order:
    """On whose account a grant goes. It counts in the windows of `made_ms`, and is held until `last_ms` at most."""

    id: str
    holder: Holder
    made_ms: int
    last_ms: int


class Grant:
    """Holds a request's claims, from the moment that it is moved to a model until it is settled or released, once."""

    def __init__(self, order: Order, claims: Claims, ledger: Ledger) -> None:
        self._order = order
        self._claims = claims
        self._ledger = ledger
        self._stakes: tuple[Stake, ...] = ()
        self._ended = False

    async def moved(self, model: str, estimate: Estimate, at: datetime) -> None:
        """Hold what a request to this model claims, instead of what was held before.

        Raises `QuotaExceeded`, `QuotaUnpriced` or `QuotasUnavailable`; then what was held before is held still.
        """
        if self._ended:
            raise RuntimeError("the grant has been settled or released: reserve anew")
        now_ms = milliseconds(at)
        stakes = self._claims.stakes(self._order.holder, model, estimate, self._order.made_ms)
        if stakes or self._stakes:
            answer = await self._ledger.reserve(self._reservation(stakes), now_ms)
            if not answer.granted:
                raise _worst(stakes, answer, now_ms)
        self._stakes = stakes

    async def settle(self, tokens: int | None, nano_usd: int | None, at: datetime) -> None:
        """Count what the request took; where that is unknown (None), what was reserved for it. Once."""
        await self._end(spent(self._stakes, tokens, nano_usd), at)

    async def release(self, at: datetime) -> None:
        """Give back all that is held, and count nothing: the request failed. Once."""
        await self._end((0,) * len(self._stakes), at)

    async def _end(self, amounts: tuple[int, ...], at: datetime) -> None:
        ended, self._ended = self._ended, True
        if not ended and self._stakes:
            await self._ledger.settle(self._reservation(self._stakes), amounts, milliseconds(at))

    def _reservation(self, stakes: tuple[Stake, ...]) -> Reservation:
        return Reservation(self._order.id, tuple(stake.claim for stake in stakes), self._order.last_ms)


def _worst(stakes: tuple[Stake, ...], answer: Answer, now_ms: int) -> QuotaExceeded:
    """Return the error that says most: no other model helps, waiting does not help, the longest wait."""
    refused = zip(stakes, answer.levels, answer.refused, strict=True)
    errors = [QuotaExceeded(stake, level, now_ms) for stake, level, no in refused if no]
    return max(errors, key=lambda error: (not error.of_model, error.kind == "quota", error.retry_after_s))
