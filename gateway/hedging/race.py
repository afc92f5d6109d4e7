"""Two candidates that are asked the same: who first answers is taken, and the other one is given up."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gateway.errors import GatewayError, NoBackendAvailable
from gateway.failures import Step
from gateway.hedging.leg import Leg
from gateway.hedging.second import most_usd, stand_ins, within_bounds
from gateway.plans.bounds import Spent
from providers.errors import ContextTooLong, UpstreamRejected

if TYPE_CHECKING:
    from gateway.dispatch import Dispatched, Dispatcher, Terms
    from gateway.events import MadeCall
    from gateway.hedging.hedges import Hedging
    from providers.types import ChatRequest
    from routers.types import Call, Candidate

#: What the others took of a plan that makes one call.
NOTHING: Final = Spent()
#: Why the second call is made.
WHY: Final = "hedge"


async def answered(
    dispatcher: Dispatcher, call: Call, terms: Terms, chat: ChatRequest, spent: Spent = NOTHING
) -> Dispatched:
    """Return the answer to a plan's last call, hedged where the policy does that; `spent` is what its others took.

    Raises as `Dispatcher.answer` does.
    """
    delays, delay_s = dispatcher.fleet.delays, None
    if terms.hedging is not None:
        terms.hedging.requested()
        first, percentile = call.candidates[0].model, terms.hedging.rules.percentile
        delay_s = delays.within(first, percentile, time.monotonic(), streams=chat.stream)
    if terms.hedging is None or delay_s is None:
        found = await dispatcher.answer(call, terms, chat)
    else:
        found = await Race(dispatcher, call, terms, chat, spent, terms.hedging).run(delay_s)
    took_s = dispatcher.attempts[-1].latency_s
    delays.note(found.backend.candidate.model, took_s, time.monotonic(), streams=chat.stream)
    return found


@dataclass(slots=True)
class Race:
    """One request that may be hedged."""

    dispatcher: Dispatcher
    call: Call
    terms: Terms
    chat: ChatRequest
    spent: Spent
    hedging: Hedging
    legs: list[Leg] = field(default_factory=list)
    #: What is held for the second one: whether anything is, and the most that it may cost.
    _allowed: bool = False
    _most: Decimal | None = None
    #: The calls that were given up, as they are charged for.
    _given_up: list[MadeCall] = field(default_factory=list)

    async def run(self, delay_s: float) -> Dispatched:
        """Ask the first one; ask a second one where it has not answered after a while; return who answers first.

        Raises `NoBackendAvailable` where neither does.
        """
        first = self._ask(self.call, self.terms)
        winner: Leg | None = None
        try:
            await asyncio.wait({first.task}, timeout=delay_s)
            if not first.task.done() and not first.dispatcher.attempts:
                await self._hedge(first)
            winner = await self._first_good()
            await self._give_up_all_but(winner)
            await self._bill(winner)
        except BaseException:
            winner = None  # nobody is left to take its answer
            await self._give_up_all_but(None)
            raise
        finally:
            self._note(winner)
        if winner is None:
            raise _reason([failure for leg in self.legs if (failure := leg.failure) is not None])
        return winner.task.result()

    def _ask(self, call: Call, terms: Terms) -> Leg:
        leg = Leg.begun(self.dispatcher, call, terms, self.chat)
        self.legs.append(leg)
        return leg

    async def _hedge(self, first: Leg) -> None:
        """Ask a second candidate, if there is one who may be asked, and if that may be paid for."""
        after, errand = stand_ins(self.dispatcher, self.call, self.terms, time.monotonic()), first.dispatcher.errand
        if not after or errand is None or not within_bounds(after[0], errand, self.terms, self.spent):
            return
        self._most = most_usd(self.call, after[0], self.terms.demand)
        self._allowed = self.hedging.allow(self._most, datetime.now(UTC))
        if not self._allowed:
            return
        if not await self._claimed(after[0]) or first.task.done():
            return
        first.dispatcher.hedged = True
        names = tuple(one.model for one in after[1:])
        attempts = None if self.terms.attempts is None else self.terms.attempts - 1
        terms = replace(self.terms, fallback=names, attempts=attempts, usd=errand.left_usd, then=Step.CANDIDATE)
        self._ask(_to(self.call, after[0]), terms)

    async def _first_good(self) -> Leg | None:
        """Return who first answers, of both at once the one that was drawn; None where both fail, or one is broken."""
        waiting = list(self.legs)
        while waiting:
            await asyncio.wait([leg.task for leg in waiting], return_when=asyncio.FIRST_COMPLETED)
            if (good := next((leg for leg in waiting if leg.good), None)) is not None:
                return good
            if any(leg.defective for leg in waiting):
                return None
            waiting = [leg for leg in waiting if not leg.task.done()]
        return None

    async def _give_up_all_but(self, winner: Leg | None) -> None:
        """Give up who did not win: all of them at once, since whoever waits for them may be cancelled himself."""
        lost = [leg for leg in self.legs if leg is not winner]
        for leg in lost:
            leg.stop()
        self._given_up = [call for leg in lost if (call := await leg.give_up()) is not None]

    async def _bill(self, winner: Leg | None) -> None:
        """Have the quotas count the request as sent to who answered."""
        if self._allowed and winner is self.legs[0] and self.terms.bill is not None:
            # Where its own quota does not let it any more, the other model's counts it: it has answered all the same.
            with suppress(GatewayError):
                await self.terms.bill.moved(self.call.candidates[0])

    def _note(self, winner: Leg | None) -> None:
        """Note what those took who did not win; the winner's attempts are the last ones."""
        lost = [leg for leg in self.legs if leg is not winner]
        for leg in [*lost, *([winner] if winner else [])]:
            self.dispatcher.attempts += leg.dispatcher.attempts
        # Of a request that came to nothing, the first call is the request's own.
        calls = [call for call in self._given_up if winner or call.why == WHY]
        if len(self.legs) > 1:
            if winner is None and self.legs[1].failure is not None and (attempts := self.dispatcher.attempts):
                attempts[-1] = replace(attempts[-1], then=self.terms.then.value)
            self.dispatcher.made += calls
            self._counted(winner, calls)
        self._settle(calls)

    def _settle(self, calls: list[MadeCall]) -> None:
        """Count what is owed to who lost, in place of what was held for it."""
        if self._allowed:
            unknown = any(call.cost_usd is None for call in calls)
            self.hedging.settle(self._most, self._most if unknown else _usd(calls), datetime.now(UTC))

    async def _claimed(self, second: Candidate) -> bool:
        """Tell whether the quotas let the request be sent to both: what both may take is held, as one request."""
        if self.terms.bill is None:
            return True
        try:
            await self.terms.bill.joined(self.call.candidates[0], second)
        except GatewayError:
            return False
        return True

    def _counted(self, winner: Leg | None, calls: list[MadeCall]) -> None:
        """Count who answered, and note how long the first one was waited for: it would have taken longer."""
        first = self.legs[0]
        result = "none" if winner is None else "first" if winner is first else "second"
        self.dispatcher.metrics.hedged(self.hedging.policy, result, _usd(calls))
        if winner is not first and first.failure is None:
            model, now = self.call.candidates[0].model, time.monotonic()
            self.dispatcher.fleet.delays.note(model, now - first.began, now, streams=self.chat.stream)


def _usd(calls: list[MadeCall]) -> Decimal:
    return sum((call.cost_usd for call in calls if call.cost_usd is not None), Decimal(0))


def _to(call: Call, candidate: Candidate) -> Call:
    """Return a call to another candidate, for certain."""
    certain = {**dict.fromkeys(call.propensities, 0.0), candidate.model: 1.0}
    return replace(call, candidates=(candidate,), propensities=certain, why=WHY)


def _reason(failures: list[BaseException]) -> BaseException:
    """Return the failure that tells the client most: that the request is at fault, rather than that one was away.

    What is a defect goes before both.
    """
    defect = next((one for one in failures if not isinstance(one, GatewayError)), None)
    at_fault = (
        one
        for one in failures
        if isinstance(one, NoBackendAvailable) and isinstance(one.error, UpstreamRejected | ContextTooLong)
    )
    return defect or next(at_fault, failures[-1])
