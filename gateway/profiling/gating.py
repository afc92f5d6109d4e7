"""Has a gate look at the answer to a probe, as a plan would have it look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from routers.types import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.types import ChatRequest
    from routers.types import Answer, Call, Candidate, Gate


class Send(Protocol):
    """Makes a call of a gate, about a request, to one model."""

    async def __call__(self, chat: ChatRequest, call: Call, model: str) -> Answer:
        """Return what it says. Raises `ProviderError`."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chance that an answer is good, as a gate sees it, and the USD that its own calls took; None: unknown."""

    chance: float
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Gating:
    """A gate, and the models that it may ask."""

    gate: Gate
    candidates: Sequence[Candidate]

    async def verdict(self, prompt: str, chat: ChatRequest, answer: Answer, send: Send) -> Verdict:
        """Return what the gate makes of an answer, after calls of its own. Raises `ProviderError`."""
        check = self.gate.check(Context(text=prompt, prompt_tokens=0), answer, self.candidates)
        heard: list[Answer] = []
        costs: list[float | None] = []
        while True:
            try:
                call = check.send(heard) if heard else next(check)
            except StopIteration as end:
                return Verdict(float(end.value), total_usd(costs))
            heard = [await send(chat, call, one.model) for one in call.candidates]
            costs += [one.cost_usd for one in heard]


def total_usd(costs: Sequence[float | None]) -> float | None:
    """Return the sum; None where a part is unknown.

    >>> total_usd([]), total_usd([1.0, None])
    (0.0, None)
    """
    known = [cost for cost in costs if cost is not None]
    return None if len(known) < len(costs) else sum(known, 0.0)
