"""A model of the pool decides what is asked next: another model, or nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routers.plans.around import Around, asking
from routers.plans.deciding import FOUND, decision_schema, question_in, task
from routers.plans.quoting import mark_of, quoted
from routers.types import Answer, Finish, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from routers.types import Call, Candidate, Context, Plan, Router

#: Parameters of a call that is to be decided, not written.
_STEADY: Final = {"temperature": 0}


class Orchestrator(Around):
    """Let a model choose whom to ask what, `max_questions` at most, then have it answer.

    It sees the conversation and what was said so far, and replies with one JSON object: a question to another model of
    the pool, which sees that question alone, or that it is ready. What is not understood, a name that is none of the
    pool's, or the last question used up: it is ready. Then it answers the client in the client's own form, and that is
    relayed as it comes. What models say is quoted for it, and never read as a decision.

    Parameters: `model`, the one that orchestrates; `router`, whose draw answers alone where that is no candidate;
    `max_questions`; `max_tokens` of a decision, and of an answer to a question; `structured`, whether decisions are
    asked for by JSON schema, which not every endpoint takes.

    >>> from routers.checks.plays import asked, expecting
    >>> orchestrator = Orchestrator("large", expecting(), max_questions=1)
    >>> asked(orchestrator, text='{"ask": "small", "question": "What is 6 times 7?"}')
    [['large'], ['small'], ['large']]

    After Router-R1 (https://arxiv.org/abs/2506.09033) and xRouter (https://arxiv.org/abs/2510.08439), by prompt alone.
    """

    def __init__(
        self, model: str, router: Router, max_questions: int = 3, max_tokens: int = 1_000, *, structured: bool = False
    ) -> None:
        super().__init__(router)
        if max_questions < 1 or max_tokens < 1:
            raise ValueError(f"max_questions={max_questions} and max_tokens={max_tokens} must be positive")
        self.model, self.max_questions, self.max_tokens, self.structured = model, max_questions, max_tokens, structured

    @property
    def named(self) -> frozenset[str]:
        """Return the orchestrating model, and what the router names."""
        return super().named | {self.model}

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Ask what to ask, until it is ready; then have it answer."""
        drawn = self.first(context, candidates, rng)
        if drawn is None:
            return Finish(None, "the router of the orchestrator refuses")
        chief = next((one for one in candidates if one.model == self.model), None)
        others = {one.model: one for one in candidates if one != chief}
        if chief is None:
            (answer,) = yield replace(drawn, stream=True)
            return Finish(answer)
        mark, found = mark_of(rng), list[Answer]()
        for left in range(self.max_questions if others else 0, 0, -1):
            deciding = self._bare(
                asking(drawn, chief, why=f"orchestrator left={left}"), task(others, found, mark, left)
            )
            (decision,) = yield replace(deciding, parameters={**deciding.parameters, **self._form(others)})
            if (asked := question_in(decision, others)) is None:
                break
            (said,) = yield replace(self._bare(asking(drawn, asked[0], why="question"), asked[1]), conversation=False)
            found += [replace(said, text=f"Asked: {asked[1]}\n\n{said.text}")] if said.error is None else []
        turns = (
            (Turn("user", f"{FOUND.format(mark=mark)}\n\n{quoted(found, mark)}\n\nAnswer me now."),) if found else ()
        )
        (answer,) = yield replace(asking(drawn, chief, why="orchestrator answer", stream=True), turns=turns)
        return Finish(answer)

    def _bare(self, call: Call, text: str) -> Call:
        parameters = {**_STEADY, "max_tokens": self.max_tokens}
        return replace(call, turns=(Turn("user", text),), parameters=parameters, bare=True)

    def _form(self, others: dict[str, Candidate]) -> dict[str, Any]:
        return {"response_format": decision_schema(others)} if self.structured else {}
