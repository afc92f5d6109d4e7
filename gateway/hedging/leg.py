"""One of two candidates that are asked the same, until it answers, fails or is given up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.charging import CANCELLED, charge, produced_tokens
from gateway.errors import GatewayError
from gateway.events import MadeCall

if TYPE_CHECKING:
    from gateway.charging import Charge
    from gateway.dispatch import Dispatched, Dispatcher, Terms
    from gateway.plans.errand import Errand
    from providers.types import ChatRequest
    from routers.types import Call


@dataclass(frozen=True, slots=True)
class Leg:
    """A candidate that has been asked, by a dispatcher of its own; `began` is by the monotonic clock."""

    call: Call
    dispatcher: Dispatcher
    task: asyncio.Task[Dispatched]
    began: float

    @classmethod
    def begun(cls, dispatcher: Dispatcher, call: Call, terms: Terms, chat: ChatRequest) -> Leg:
        """Ask the call's candidate."""
        own = dispatcher.leg()
        return cls(call, own, asyncio.ensure_future(own.answer(call, terms, chat)), time.monotonic())

    @property
    def failure(self) -> BaseException | None:
        """Return why it came to nothing; None where it has not failed."""
        return self.task.exception() if self.task.done() and not self.task.cancelled() else None

    @property
    def good(self) -> bool:
        """Tell whether it has answered."""
        return self.task.done() and not self.task.cancelled() and self.failure is None

    @property
    def defective(self) -> bool:
        """Tell whether it failed of a defect, and not because nobody answered."""
        return self.failure is not None and not isinstance(self.failure, GatewayError)

    def stop(self) -> None:
        """Begin to give it up: what it holds is given back, even where nobody waits for the end of that."""
        if self.good:
            self.task.result().end()
        elif not self.task.cancelling():  # told a second time, it would not come to the end of the first
            self.task.cancel()

    async def give_up(self) -> MadeCall | None:
        """Hang up, and return the call as it is charged for; None where nobody was asked, or whoever was has failed."""
        self.stop()
        await asyncio.wait({self.task})
        errand, seconds = self.dispatcher.errand, time.monotonic() - self.began
        if errand is None or errand.asked is None or self.failure is not None:
            return None
        if not self.good:  # the endpoint has read the prompt, as far as anybody knows
            return self._made(errand.asked.candidate.model, errand.cut(), (errand.prompt_tokens, 0), seconds)
        answered = self.task.result()
        answered.end()
        await answered.reply.aclose()
        charged = charge(answered.reply, answered.backend.tariff, errand.prompt_tokens)
        return self._made(answered.backend.candidate.model, charged, _tokens(answered, errand), seconds)

    def _made(self, model: str, charged: Charge, tokens: tuple[int, int], seconds: float) -> MadeCall:
        return MadeCall(
            model=model,
            why=self.call.why,
            error=CANCELLED,
            cost_usd=charged.usd,
            cost_source=charged.source,
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            latency_s=seconds,
        )


def _tokens(answered: Dispatched, errand: Errand) -> tuple[int, int]:
    """Return the tokens of prompt and completion; where the endpoint did not count to the end, about as many."""
    usage = answered.reply.usage
    if usage is not None and answered.reply.settled:
        return usage.prompt_tokens, usage.completion_tokens
    return errand.prompt_tokens, produced_tokens(answered.reply)
