"""What a request holds of its quotas, from before it is sent until it is known what it took."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.eligibility import expected_cost_usd
from gateway.quotas.types import Estimate
from gateway.store.money import to_nanos

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from gateway.eligibility import Demand
    from gateway.quotas.grant import Grant
    from gateway.quotas.quotas import Quotas
    from gateway.quotas.types import Holder
    from routers.types import Candidate


class Bill:
    """A grant, and what each model would claim of it. It is settled or released in the background, once.

    Without a grant, there is no quota that counts the request: then it claims nothing, whatever becomes of it. `most`
    is what a plan of several calls claims, whoever answers; None where there is one call.
    """

    def __init__(
        self, grant: Grant | None, demand: Demand, model: str, bills: Bills, most: Estimate | None = None
    ) -> None:
        self._grant = grant
        self._demand = demand
        self._model = model
        self._bills = bills
        self._most = most

    @property
    def counts(self) -> bool:
        """Tell whether any quota counts the request."""
        return self._grant is not None

    async def moved(self, candidate: Candidate) -> None:
        """Claim what a request to this model may take. Raises `GatewayError` where a quota does not let it."""
        if self._grant is not None and candidate.model != self._model:
            claimed = self._most or estimate(candidate, self._demand)
            await self._grant.moved(candidate.model, claimed, datetime.now(UTC))
            self._model = candidate.model

    async def joined(self, first: Candidate, second: Candidate) -> None:
        """Claim what a request may take that is sent to a second model beside the first.

        Raises `GatewayError` where a quota does not let it; then what was held before is held still.
        """
        if self._grant is None:
            return
        both = together(self._most or estimate(first, self._demand), estimate(second, self._demand))
        await self._grant.moved(second.model, both, datetime.now(UTC))
        self._model, self._most = second.model, both

    def settle(self, tokens: int | None, usd: Decimal | None) -> None:
        """Count what the request took; where that is unknown (None), what was reserved."""
        if self._grant is None:
            return
        nano_usd = None if usd is None else to_nanos(usd)
        self._bills.do(self._grant.settle(tokens, nano_usd, datetime.now(UTC)))

    def release(self) -> None:
        """Count nothing: nobody answered."""
        if self._grant is not None:
            self._bills.do(self._grant.release(datetime.now(UTC)))


class Bills:
    """Opens bills, and waits at the end until all have been paid."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._unpaid: set[asyncio.Task[None]] = set()

    async def open(self, holder: Holder, candidate: Candidate, demand: Demand, most: Estimate | None = None) -> Bill:
        """Reserve what a request to a model may take, or the `most` that its plan may.

        Raises `GatewayError` where a quota does not let it.
        """
        if not self._quotas.count(holder):
            return Bill(None, demand, candidate.model, self, most)
        at = datetime.now(UTC)
        grant = await self._quotas.reserve(holder, candidate.model, most or estimate(candidate, demand), at)
        return Bill(grant, demand, candidate.model, self, most)

    def headers(self, holder: Holder) -> dict[str, str]:
        """Return OpenAI's headers on what is left of the key's limits."""
        return self._quotas.headers(holder, datetime.now(UTC)) if self._quotas.count(holder) else {}

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
    return Estimate(demand.prompt_tokens + demand.most_of(candidate), None if usd is None else to_nanos(usd))


def together(one: Estimate, other: Estimate) -> Estimate:
    """Return what two requests may take; unknown where one of them is."""
    unknown = one.nano_usd is None or other.nano_usd is None
    return Estimate(one.tokens + other.tokens, None if unknown else (one.nano_usd or 0) + (other.nano_usd or 0))


def most_of(calls: int, pool: Sequence[Candidate], demand: Demand) -> Estimate:
    """Return what so many calls may take at most, each to whoever takes most; no more than may be spent in all."""
    each = [estimate(one, demand) for one in pool]
    priced = [one.nano_usd for one in each if one.nano_usd is not None]
    bound = demand.constraints.max_cost_usd
    sums = [calls * max(priced)] if len(priced) == len(each) else []
    sums += [] if bound is None else [to_nanos(Decimal(str(bound)))]
    return Estimate(calls * max(one.tokens for one in each), min(sums, default=None))
