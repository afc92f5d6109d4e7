"""Overhears one request and its answer, for those who listen; the answer is relayed as if nobody did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.caching.fitness import choices_of
from gateway.implicit.answer import Gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.deciding import Ask
    from gateway.deliberation import Routed
    from gateway.events import Decision, Outcome


@dataclass(slots=True)
class Overheard:
    """A request on its way: as it was asked, and what was decided on it."""

    decision: Decision
    ask: Ask
    routed: Routed


class Listener(Protocol):
    """Is told of requests and answers, on the event loop: it notes them in microseconds, and does its work later."""

    def asked(self, request: Overheard) -> None:
        """Note that a request is about to be sent."""
        ...

    def answered(self, request: Overheard, answer: Gathered, outcome: Outcome) -> None:
        """Note what came of it; where `outcome` has an error, `answer` is a part of an answer, or nothing."""
        ...

    async def aclose(self) -> None:
        """Give up what is still to be done with the configuration that is closing."""
        ...


class Ear:
    """Gathers what the answer to one request says."""

    def __init__(self, request: Overheard, listeners: Sequence[Listener]) -> None:
        self._request = request
        self._listeners = listeners
        self._gathered = Gathered(choices_of(request.ask.chat.body) or 1)
        self.events = self._gathered.events
        self.whole = self._gathered.whole
        for listener in listeners:
            listener.asked(request)

    def ended(self, outcome: Outcome) -> None:
        """Tell those who listen what came of it."""
        for listener in self._listeners:
            listener.answered(self._request, self._gathered, outcome)
