"""Makes one call of a plan and hears it out; whatever becomes of it, it is noted with what it cost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.charging import CANCELLED, UNKNOWN, charge, produced_tokens
from gateway.errors import GatewayError
from gateway.events import MadeCall
from gateway.failures import Step
from gateway.plans.errand import NOTHING
from gateway.plans.heard import Heard, read
from providers.errors import ProviderError
from routers.types import Answer

if TYPE_CHECKING:
    from gateway.charging import Charge
    from gateway.dispatch import Dispatched, Dispatcher, Terms
    from providers.types import ChatRequest
    from routers.types import Call


async def hear(dispatcher: Dispatcher, call: Call, terms: Terms, chat: ChatRequest) -> Heard:
    """Ask the call's candidate, and return what it said, or why it said nothing. Nobody answers in its place.

    The dispatcher is told of the attempts and of the call, also where the client leaves before the answer has come.
    """
    hearing = Hearing(dispatcher.leg(), call, terms, chat)
    try:
        return await hearing.run()
    finally:
        dispatcher.attempts += hearing.leg.attempts
        dispatcher.made += [made] if (made := hearing.made) is not None else []


@dataclass(slots=True)
class Hearing:
    """A call while it is heard out, by a dispatcher of its own."""

    leg: Dispatcher
    call: Call
    terms: Terms
    chat: ChatRequest
    error: str | None = None
    failure: GatewayError | None = None
    dispatched: Dispatched | None = None
    pieces: list[bytes] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    #: The call as it is logged; None until it has ended.
    made: MadeCall | None = None

    async def run(self) -> Heard:
        """Make the call."""
        try:
            self.dispatched = await self.leg.answer(self.call, self.terms, self.chat)
            await self._listen(self.dispatched)
        except GatewayError as failure:
            self.failure, self.error = failure, failure.code or "refused"
        except asyncio.CancelledError:
            self.error = CANCELLED
            self._end()
            raise
        return self._end()

    async def _listen(self, dispatched: Dispatched) -> None:
        """Take in the whole answer; one that breaks off is an error, and its endpoint's fault."""
        try:
            await dispatched.reply.pour(self.pieces.extend)
        except ProviderError as broken:
            self.error = broken.code
            self.leg.broke(dispatched, broken, Step.PLAN)
        finally:
            await dispatched.reply.aclose()
            dispatched.end()

    def _end(self) -> Heard:
        """Return what was heard, and note the call."""
        charged, seconds = self._charged(), time.monotonic() - self.began
        answer = self._answer(charged, seconds)
        self.made = self._noted(answer.error, charged, seconds)
        took_usd = self.leg.errand.took_usd if self.leg.errand else NOTHING
        return Heard(self.call, answer, took_usd, self.made, self.failure, self.dispatched, self.pieces)

    def _answer(self, charged: Charge, seconds: float) -> Answer:
        """Return what the plan is told."""
        candidate, cost = self.call.candidates[0], None if charged.usd is None else float(charged.usd)
        if self.error is not None or self.dispatched is None:
            return Answer(candidate, error=self.error, cost_usd=cost, latency_s=seconds)
        return read(candidate, self.dispatched.reply, self.pieces, cost, seconds)

    def _charged(self) -> Charge:
        """Return what the call cost; the errand is told, too."""
        if (errand := self.leg.errand) is None:
            return UNKNOWN
        if self.dispatched is None:
            return errand.cut()
        charged = charge(self.dispatched.reply, self.dispatched.backend.tariff, errand.prompt_tokens)
        errand.took(charged)
        return charged

    def _noted(self, error: str | None, charged: Charge, seconds: float) -> MadeCall | None:
        """Return the call as it is logged; None where it was given up before anybody was asked."""
        errand = self.leg.errand
        if error == CANCELLED and (errand is None or errand.asked is None):
            return None
        prompt_tokens, completion_tokens = self._tokens()
        return MadeCall(
            model=self.call.candidates[0].model,
            why=self.call.why,
            error=error,
            cost_usd=charged.usd,
            cost_source=charged.source,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            latency_s=seconds,
        )

    def _tokens(self) -> tuple[int | None, int | None]:
        """Return the tokens of prompt and completion: of a call that was given up, about as many as it had come to."""
        usage = self.dispatched.reply.usage if self.dispatched else None
        if usage is not None:
            return usage.prompt_tokens, usage.completion_tokens
        if self.error != CANCELLED or self.leg.errand is None:
            return None, None
        return self.leg.errand.prompt_tokens, produced_tokens(self.dispatched.reply) if self.dispatched else 0
