"""Drives a plan: makes its calls within its bounds, hears out what may still be rejected, relays what is final."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gateway.errors import NoBackendAvailable, NoEligibleModel
from gateway.failures import OutOfBounds, Step
from gateway.hedging.race import answered
from gateway.plans.bounds import LEAST_SHARE, Spent, hearing_s
from gateway.plans.hearing import hear
from gateway.plans.settling import reason, standing_in
from routers.types import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dispatch import Dispatched, Dispatcher, Terms
    from gateway.events import PlanEnd
    from gateway.plans.heard import Heard
    from providers.types import ChatRequest
    from routers.types import Call, Finish, Plan

logger = logging.getLogger("pointsman")

#: The error of a call that may not be made, as the plan is told of it.
OUT_OF_BOUNDS: Final = OutOfBounds.code
#: Bytes of an answer that is heard out, at most: who streams more than that says nothing that is of use.
MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Drive:
    """One plan on its way, and the calls that it has made.

    A call that may not be made, or that nobody answers, is to the plan an answer with an error: it goes on as it sees
    fit. `refused` counts those that might not be made as a whole, so that no plan goes on for ever.
    """

    dispatcher: Dispatcher
    terms: Terms
    chat: ChatRequest
    spent: Spent = field(default_factory=Spent)
    heard: list[Heard] = field(default_factory=list)
    refused: int = 0

    async def run(self, plan: Plan, call: Call) -> Dispatched:
        """Drive a plan that has yielded `call` first; return the answer that it settles on.

        Raises `NoBackendAvailable` where nobody answers, `NoEligibleModel` where nobody may.
        """
        first = call
        while self.refused <= self.terms.bounds.max_calls:
            answers: Sequence[Answer]
            if call.final:
                found = await self._final(call)
                if not isinstance(found, Answer):
                    plan.close()
                    return found
                answers = (found,)
            else:
                answers = await self._answers(call)
            self._note_refused(call, answers)
            try:
                call = plan.send(answers)
            except StopIteration as end:
                return await self._settled(end.value, first)
        plan.close()
        return await self._settled(None, first)

    async def _answers(self, call: Call) -> list[Answer]:
        """Make a call and hear it out: as many of its candidates as may be asked, all at once."""
        asked = call.candidates[: self._room_for(call)]
        terms = replace(self._hearing_terms(), usd=self._share_usd(call, max(len(asked), 1)))
        self.spent = self.spent.plus(len(asked), Decimal(0))
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(hear(self.dispatcher, replace(call, candidates=(one,)), terms, self.chat))
                for one in asked
            ]
        heard = [task.result() for task in tasks]
        self.spent = self.spent.plus(0, sum((one.took_usd for one in heard), Decimal(0)))
        # The last good one is what is left where the plan comes to nothing; of several at once, their first is best.
        self.heard += reversed(heard)
        left_out = [Answer(one, error=OUT_OF_BOUNDS) for one in call.candidates[len(asked) :]]
        return [*(one.answer for one in heard), *left_out]

    async def _final(self, call: Call) -> Dispatched | Answer:
        """Make a call whose answer is relayed as it comes: the plan's last.

        Where the plan has heard an answer, nobody stands in for who fails, and the plan is told of it: what it has is
        better than whatever the next one would say.
        """
        terms, usd = self.terms, self._last_usd()
        if usd != terms.usd:
            terms = replace(terms, usd=usd)
        if self.heard and not self._room():
            return Answer(call.candidates[0], error=OUT_OF_BOUNDS)
        if any(one.good for one in self.heard):
            terms = replace(self._hearing_terms(), usd=terms.usd, bill=self.terms.bill)
        try:
            dispatched = await answered(self.dispatcher, call, terms, self.chat, self.spent)
        except (NoBackendAvailable, NoEligibleModel) as error:
            if not any(one.good for one in self.heard):
                raise
            return Answer(call.candidates[0], error=error.code)
        self._ended("relayed")
        return dispatched

    async def _settled(self, finish: Finish | None, first: Call) -> Dispatched:
        """Return the answer that a plan settled on; where it has none, the best that was heard, or a further one."""
        chosen = next((one for one in self.heard if finish and one.good and one.answer is finish.answer), None)
        if chosen is not None:
            self._ended("settled")
            return self._returned(chosen, finish.text if finish else None)
        self._ended("bounds" if self.refused else "no_answer")
        best = next((one for one in reversed(self.heard) if one.good and not one.call.bare), None)
        if best is not None:
            return self._returned(best, None)
        if not self._room():
            raise reason(self.heard)
        call, terms = standing_in(first, self.heard, self.terms)
        terms = replace(terms, usd=self._last_usd())
        return await self.dispatcher.answer(call, terms, self.chat)

    def _returned(self, heard: Heard, text: str | None) -> Dispatched:
        """Return an answer that was heard: its call is the one that served, and not one of the others."""
        self.dispatcher.made[:] = [call for call in self.dispatcher.made if call is not heard.made]
        return heard.replied(text, self.chat)

    def _hearing_terms(self) -> Terms:
        """Return the terms of a call that need not be answered: nobody stands in for who fails."""
        times = self.terms.timeouts
        most_bytes = min(times.stream_bytes, MOST_BYTES)
        times = replace(times, total_s=hearing_s(times.total_s), stream_bytes=most_bytes)
        return replace(self.terms, timeouts=times, fallback=(), repeats=0, bill=None, then=Step.PLAN)

    def _share_usd(self, call: Call, calls: int) -> Decimal | None:
        """Return what each of so many answers may take that are heard out; None: any sum.

        Where nothing says how long one may be, half is kept back: what goes wrong with it must not be the plan's end.
        """
        share = self.spent.share_usd(self.terms.bounds, calls)
        limited = self.terms.demand.completion_tokens is not None or "max_tokens" in call.parameters
        return share if share is None or limited else share / 2

    def _last_usd(self) -> Decimal | None:
        """Return what the last call may take: all that is left; None: any sum."""
        limited = self.terms.bounds.several or self.terms.demand.completion_tokens is not None
        return self.spent.share_usd(self.terms.bounds, 1) if limited else None

    def _room(self) -> int:
        """Return how many calls may still be made, within the calls and the time that the request has."""
        total_s = self.terms.timeouts.total_s
        in_time = time.monotonic() - self.dispatcher.began < total_s * (1 - LEAST_SHARE)
        return self.spent.room(self.terms.bounds) if in_time or not self.heard else 0

    def _room_for(self, call: Call) -> int:
        """Return how many answers to a call may be heard out.

        While the client could be given none, a question of the plan's own leaves room for one that he can be given.
        """
        answered = any(one.good and not one.call.bare for one in self.heard)
        return self._room() if answered or not call.bare else max(self._room() - 1, 0)

    def _note_refused(self, call: Call, answers: Sequence[Answer]) -> None:
        """Note it where a call might not be made, or not as a whole."""
        if any(answer.error == OUT_OF_BOUNDS for answer in answers):
            self.refused += 1
            logger.info("plan.bounded", extra={"calls": self.spent.calls, "refused": call.why})

    def _ended(self, how: PlanEnd) -> None:
        """Note how the plan ended, if several calls were made."""
        if self.heard or self.dispatcher.made:
            self.dispatcher.plan_end = "bounds" if self.refused else how
