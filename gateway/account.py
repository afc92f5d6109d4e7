"""What a request takes: the answer that is returned, and every other call that was made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.charging import charge, owed, together, tokens_of
from gateway.events import MadeCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.bill import Bill
    from gateway.charging import Charge
    from gateway.dispatch import Dispatched


@dataclass(slots=True)
class Account:
    """Reckons what a request takes. `calls` are those besides the answer's own; they grow while a plan is under way.

    `answer` is None until one has begun.
    """

    calls: Sequence[MadeCall]
    answer: Dispatched | None = None
    _own: Charge | None = None

    def so_far(self) -> Charge:
        """Return what all calls cost, the answer as far as it has come; unknown where nothing is owed."""
        if self.answer is None:
            return together(None, self.calls)
        return together(self._own or self._own_so_far(self.answer), self.calls)

    def close(self) -> Charge:
        """Return what all calls cost, now that the answer is complete or has ended: it is reckoned once."""
        if self.answer is not None and self._own is None:
            self._own = self._own_so_far(self.answer)
        return self.so_far()

    def call(self, error: str | None) -> MadeCall | None:
        """Return the answer's own call as it is logged, with the error that it ended with.

        To be asked for when the answer has ended; None where it is the only call.
        """
        if self.answer is None or not self.calls:
            return None
        usage, charged = self.answer.reply.usage, self._own or self._own_so_far(self.answer)
        return MadeCall(
            model=self.answer.backend.candidate.model,
            why=self.answer.why,
            error=error,
            cost_usd=charged.usd,
            cost_source=charged.source,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            latency_s=self.answer.took_s,
        )

    def pay(self, bill: Bill) -> None:
        """Count in the quotas what all calls took, or nothing where nobody is owed anything."""
        if not bill.counts:
            return
        if self.answer is None and not any(owed(call) for call in self.calls):
            bill.release()
            return
        bill.settle(tokens_of(self._own_tokens(), self.calls), self.close().usd)

    def _own_tokens(self) -> int | None:
        """Return the tokens of the answer as its endpoint counted them; None where it did not, or not to the end."""
        if self.answer is None:
            return 0
        usage = self.answer.reply.usage
        return usage.prompt_tokens + usage.completion_tokens if usage and self.answer.reply.settled else None

    def _own_so_far(self, answer: Dispatched) -> Charge:
        return charge(answer.reply, answer.backend.tariff, answer.prompt_tokens)
