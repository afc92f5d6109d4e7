"""Limits and budgets: what a request must reserve before it is sent, and what is known of them without asking."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.quotas.claims import Claims, amount_of, holders, kept_until_ms
from gateway.quotas.crowd import Crowd
from gateway.quotas.errors import shown
from gateway.quotas.grant import Grant, Order
from gateway.quotas.headers import Left, limit_headers
from gateway.quotas.ledger import TTL_MS, Claim, Reservation
from gateway.quotas.pressure import NO_PRESSURE, Paces, Pressure, nearing
from gateway.quotas.windows import Window, milliseconds
from gateway.store.money import from_nanos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.quotas.ledger import Ledger, Level
    from gateway.quotas.types import Estimate, Holder, Quota

#: How often what is open is renewed and what others have used is looked up.
TEND_S: Final = 1.0
#: A counter that was asked about is looked up for so long thereafter, and at most so many are.
WATCHED_MS: Final = 60_000
MAX_WATCHED: Final = 1000
#: Says what is left of the session's budget.
BUDGET_LEFT: Final = "x-pointsman-budget-left-usd"


class Quotas:
    """The quotas that hold for all, over a ledger.

    A request that is still under way after `longest_s` no longer holds what it reserved; what it takes is counted.
    """

    def __init__(self, quotas: Sequence[Quota], ledger: Ledger, *, longest_s: float) -> None:
        self._ledger = ledger
        self._crowd = Crowd()
        self._claims = Claims(quotas, self._crowd)
        self._longest_ms = int(longest_s * 1000)
        self._paces = Paces()
        #: Until when each counter is watched, and until when it is kept.
        self._watched: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def replace(self, quotas: Sequence[Quota], *, longest_s: float) -> None:
        """Change the quotas, when the configuration has changed.

        One that has the name, unit and window of a former one goes on where that stood.
        """
        self._claims = Claims(quotas, self._crowd)
        self._longest_ms = int(longest_s * 1000)

    def count(self, holder: Holder) -> bool:
        """Tell whether there is any quota that may count a holder's requests; where there is none, nobody reserves."""
        return self._claims.for_all or bool(holder.own)

    async def reserve(self, holder: Holder, model: str, estimate: Estimate, at: datetime) -> Grant:
        """Return the grant that a request to a model needs, which has to be settled or released.

        Raises `QuotaExceeded`, `QuotaUnpriced` or `QuotasUnavailable`.
        """
        made_ms = milliseconds(at)
        grant = Grant(
            Order(self._ledger.new_id(), holder, made_ms, made_ms + self._longest_ms), self._claims, self._ledger
        )
        await grant.moved(model, estimate, at)
        return grant

    def exhausted(self, models: Sequence[str], estimate: Callable[[str], Estimate], at: datetime) -> dict[str, str]:
        """Return the models whose own quota has too little left for a request, as far as is known, with the reason.

        `estimate` says what the request may take of a model. Whoever is drawn and then refused makes it untrue with
        which probability the others were.
        """
        found: dict[str, str] = {}
        if not self._claims.by_model:
            return found
        now_ms = milliseconds(at)
        for quota, model, account in self._claims.of_models(models):
            level, _ = self._known(quota, account, now_ms)
            if level.taken + (amount_of(quota, estimate(model)) or 0) > quota.amount:
                span = f"a {quota.window}" if quota.window else "at a time"
                found[model] = f"quota: {quota.name} has too little left of {shown(quota, quota.amount)} {span}"
        return found

    def unpriced(self, holder: Holder, model: str) -> str | None:
        """Return the name of a quota that refuses a request to a model whose price is unknown; None if none does."""
        refusing = (
            quota.name
            for quota in self._claims.concerning(holder)
            if quota.unit == "usd" and quota.refuses_unpriced and holders(quota, holder, model)
        )
        return next(refusing, None)

    def pressure(self, holder: Holder, at: datetime) -> Pressure:
        """Return how scarce a holder's money is, as far as is known."""
        if not self.count(holder):
            return NO_PRESSURE
        now_ms = milliseconds(at)
        shares: dict[str, float] = {}
        prices: dict[str, float] = {}
        for quota, name in self._held(holder, lambda quota: quota.paced or quota.cheaper_from is not None):
            level, window = self._known(quota, name, now_ms)
            share = level.taken / quota.amount
            price = nearing(share, quota.cheaper_from)
            if quota.paced and window is not None:
                price = max(price, self._paces.price(quota, name, window, level.taken, now_ms))
            shares[quota.name] = max(share, shares.get(quota.name, 0.0))
            prices[quota.name] = max(price, prices.get(quota.name, 1.0))
        return Pressure(shares, prices)

    def headers(self, holder: Holder, at: datetime) -> dict[str, str]:
        """Return OpenAI's headers on what is left of the key's limits of requests and tokens, as far as is known.

        Of a session's budget, they say what is left once this request has taken all that it may.
        """
        if not self.count(holder):
            return {}
        now_ms = milliseconds(at)
        limits = []
        for quota, name in self._held(holder, lambda quota: quota.per == "key" and quota.window == "minute"):
            level, window = self._known(quota, name, now_ms)
            if window is not None and quota.unit in {"requests", "tokens"}:
                remaining = max(quota.amount - level.taken, 0)
                limits.append(Left(quota.unit, quota.amount, remaining, window.end_ms - now_ms))
        return limit_headers(limits) | self._budget_header(holder, now_ms)

    def _budget_header(self, holder: Holder, now_ms: int) -> dict[str, str]:
        left = [
            quota.amount - self._known(quota, name, now_ms)[0].taken
            for quota, name in self._held(holder, lambda quota: quota.per == "session")
        ]
        return {BUDGET_LEFT: f"{from_nanos(max(min(left), 0)).normalize():f}"} if left else {}

    async def standing(self, quota: Quota, holder: str, at: datetime) -> Level:
        """Return how full a holder's counter is: as was last heard, within about a second, or as the ledger says.

        Raises `QuotasUnavailable`.
        """
        now_ms = milliseconds(at)
        counter, window = self._claims.counter(quota, holder, now_ms)
        if counter not in self._watched:
            nothing = Claim(counter, 0, quota.amount, kept_until_ms(window, now_ms))
            asking = Reservation(self._ledger.new_id(), (nothing,), now_ms + TTL_MS)
            await self._ledger.reserve(asking, now_ms)
            await self._ledger.settle(asking, (0,), now_ms)
        return self._known(quota, holder, now_ms)[0]

    async def tend(self, at: datetime) -> None:
        """Renew what is open, and learn what others have used. To be called about every second."""
        now_ms = milliseconds(at)
        while self._watched and next(iter(self._watched.values()))[0] <= now_ms:
            self._watched.popitem(last=False)
        await self._ledger.tend(now_ms, {counter: until_ms for counter, (_, until_ms) in self._watched.items()})

    async def run(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Tend the quotas until cancelled."""
        while True:
            await self.tend(clock())
            await asyncio.sleep(TEND_S)

    def _held(self, holder: Holder, wanted: Callable[[Quota], bool]) -> Iterator[tuple[Quota, str]]:
        """Yield the wanted quotas that count a holder's requests, whatever model they go to, each with its account."""
        for quota in self._claims.concerning(holder):
            if quota.per != "model" and wanted(quota):
                yield from ((quota, name) for name in holders(quota, holder, ""))

    def _known(self, quota: Quota, holder: str, now_ms: int) -> tuple[Level, Window | None]:
        counter, window = self._claims.counter(quota, holder, now_ms)
        self._watched[counter] = now_ms + WATCHED_MS, kept_until_ms(window, now_ms)
        self._watched.move_to_end(counter)
        if len(self._watched) > MAX_WATCHED:
            self._watched.popitem(last=False)
        return self._ledger.known(counter), window
