"""What a request holds of its quotas, from before it is sent until it is known what it took."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.eligibility import expected_cost_usd
from gateway.quotas.types import Estimate
from gateway.store.money import to_nanos

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from decimal import Decimal

    from gateway.eligibility import Demand
    from gateway.quotas.grant import Grant
    from gateway.quotas.quotas import Quotas
    from gateway.quotas.types import Holder
    from routers.types import Candidate


class Bill:
    """A grant, and what each model would claim of it. It is settled or released in the background, once."""

    def __init__(self, grant: Grant, demand: Demand, model: str, bills: Bills) -> None:
        self._grant = grant
        self._demand = demand
        self._model = model
        self._bills = bills

    async def moved(self, candidate: Candidate) -> None:
        """Claim what a request to this model may take. Raises `GatewayError` where a quota does not let it."""
        if candidate.model != self._model:
            await self._grant.moved(candidate.model, estimate(candidate, self._demand), datetime.now(UTC))
            self._model = candidate.model

    def settle(self, tokens: int | None, usd: Decimal | None) -> None:
        """Count what the request took; where that is unknown (None), what was reserved."""
        nano_usd = None if usd is None else to_nanos(usd)
        self._bills.do(self._grant.settle(tokens, nano_usd, datetime.now(UTC)))

    def release(self) -> None:
        """Count nothing: nobody answered."""
        self._bills.do(self._grant.release(datetime.now(UTC)))


class Bills:
    """Opens bills, and waits at the end until all have been paid."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._unpaid: set[asyncio.Task[None]] = set()

    async def open(self, holder: Holder, candidate: Candidate, demand: Demand) -> Bill:
        """Reserve what a request to a model may take. Raises `GatewayError` where a quota does not let it."""
        at = datetime.now(UTC)
        grant = await self._quotas.reserve(holder, candidate.model, estimate(candidate, demand), at)
        return Bill(grant, demand, candidate.model, self)

    def headers(self, holder: Holder) -> dict[str, str]:
        """Return OpenAI's headers on what is left of the key's limits."""
        return self._quotas.headers(holder, datetime.now(UTC))

    def do(self, payment: Coroutine[Any, Any, None]) -> None:
        """Pay without making anybody wait."""
        task = asyncio.ensure_future(payment)
        self._unpaid.add(task)
        task.add_done_callback(self._unpaid.discard)

    async def aclose(self) -> None:
        """Wait until all has been paid."""
        await asyncio.gather(*self._unpaid, return_exceptions=True)


def estimate(candidate: Candidate, demand: Demand) -> Estimate:
    """Return what a request to a model may take at most, as far as it says how long the answer may be."""
    usd = expected_cost_usd(candidate, demand)
    return Estimate(demand.prompt_tokens + demand.most_completion_tokens, None if usd is None else to_nanos(usd))
