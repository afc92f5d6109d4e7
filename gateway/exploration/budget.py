"""What exploring, or another purpose, has cost each policy today, counted with all replicas."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from gateway.quotas.claims import kept_until_ms
from gateway.quotas.crowd import named
from gateway.quotas.errors import QuotasUnavailable
from gateway.quotas.ledger import TTL_MS, Claim, Reservation
from gateway.quotas.windows import milliseconds, window_at

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.quotas.ledger import Ledger

#: What others have spent is asked for when what is known of it is so old.
FRESH_MS: Final = 1000
#: A claim that always fits in: what has been spent is counted, whether it was allowed or not. Lua's numbers are exact.
_NO_LIMIT: Final = 2**53
_NANOS: Final = 1_000_000_000
#: When there are more counters than this, it is forgotten when they were asked about.
_MOST: Final = 1000


class Budgets:
    """Counts what a purpose costs, by policy and day (UTC), in the ledger that quotas are counted in.

    Nobody waits for it: what this process spends counts here at once, and is told to the ledger afterwards. What other
    replicas have spent is known a second late.
    """

    def __init__(self, ledger: Ledger, purpose: str = "exploration") -> None:
        self._ledger = ledger
        self._purpose = purpose
        #: Nano-dollars that the ledger has not been told of, and when each counter was last asked about.
        self._untold: dict[str, int] = {}
        self._asked_ms: dict[str, int] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}

    def left_usd(self, policy: str, most_usd: float, at: datetime) -> float:
        """Return what is left of a policy's USD of the day, as far as is known; never less than nothing."""
        now_ms = milliseconds(at)
        counter, until_ms = self._counter(policy, now_ms)
        if now_ms - self._asked_ms.get(counter, -FRESH_MS) >= FRESH_MS:
            self._tell(counter, until_ms, now_ms)
        return max(most_usd - self._spent(counter) / _NANOS, 0.0)

    def spend(self, policy: str, usd: float, at: datetime) -> None:
        """Count what was spent: for exploring, what a choice costs beyond the one that looked best."""
        now_ms = milliseconds(at)
        counter, until_ms = self._counter(policy, now_ms)
        self._untold[counter] = self._untold.get(counter, 0) + math.ceil(usd * _NANOS)
        self._tell(counter, until_ms, now_ms)

    async def aclose(self) -> None:
        """Wait until the ledger has been told all."""
        await asyncio.gather(*self._telling.values(), return_exceptions=True)

    def _spent(self, counter: str) -> int:
        return self._ledger.known(counter).taken + self._untold.get(counter, 0)

    def _tell(self, counter: str, until_ms: int, now_ms: int) -> None:
        """Tell the ledger what was spent, and hear what others have, in the background; one message at a time."""
        self._asked_ms[counter] = now_ms
        if counter in self._telling:
            return
        if len(self._asked_ms) > _MOST:
            self._asked_ms = {counter: now_ms}
        self._telling[counter] = asyncio.get_running_loop().create_task(self._told(counter, until_ms, now_ms))

    async def _told(self, counter: str, until_ms: int, now_ms: int) -> None:
        try:
            while await self._message(Claim(counter, self._untold.get(counter, 0), _NO_LIMIT, until_ms), now_ms):
                pass
        except QuotasUnavailable:
            return  # it counts here, and is told when the ledger is back and something is spent, or asked
        finally:
            self._telling.pop(counter, None)

    async def _message(self, claim: Claim, now_ms: int) -> bool:
        """Count a claim in the ledger; tell whether something else was spent meanwhile."""
        reservation = Reservation(self._ledger.new_id(), (claim,), now_ms + TTL_MS)
        await self._ledger.reserve(reservation, now_ms)
        # From here on the ledger knows it.
        left = self._untold.pop(claim.counter, 0) - claim.amount
        if left:
            self._untold[claim.counter] = left
        await self._ledger.settle(reservation, (claim.amount,), now_ms)
        return claim.counter in self._untold

    def _counter(self, policy: str, now_ms: int) -> tuple[str, int]:
        """Return the name of a policy's counter of the day, which is no quota's, and until when it is kept."""
        window = window_at("day", now_ms)
        return f"!{self._purpose}|usd|day|{window.start_ms}|{named(policy)}", kept_until_ms(window, now_ms)
