"""Tells the watch of requests and answers, by the rules of one configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.implicit.look import Note

if TYPE_CHECKING:
    from gateway.events import Outcome
    from gateway.implicit.answer import Gathered
    from gateway.implicit.ear import Overheard
    from gateway.implicit.rules import ImplicitRules
    from gateway.implicit.watch import Watch


class ImplicitListener:
    """A listener that does nothing itself."""

    def __init__(self, watch: Watch, rules: ImplicitRules) -> None:
        self._watch = watch
        self._rules = rules
        self._wants_all = not (rules.except_policies or rules.except_callers)

    def asked(self, request: Overheard) -> None:
        """Note that a request is about to be sent."""
        if self._wants_all or self._wants(request):
            self._watch.note(Note(self._rules, request))

    def answered(self, request: Overheard, answer: Gathered, outcome: Outcome) -> None:
        """Note what came of it."""
        if self._wants_all or self._wants(request):
            self._watch.note(Note(self._rules, request, answer, outcome))

    async def aclose(self) -> None:
        """Do nothing: the watch outlives configurations."""

    def _wants(self, request: Overheard) -> bool:
        return self._rules.wants(request.decision.policy, request.ask.request.caller.name)
