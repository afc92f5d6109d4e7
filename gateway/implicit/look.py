"""What is noted of requests and answers, and what it says by itself: before it is known what was asked before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from gateway.caching.fitness import LONGEST_REQUEST
from gateway.implicit.wording import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.events import Outcome
    from gateway.implicit.answer import Choice, Gathered
    from gateway.implicit.conversation import Conversation, Reader
    from gateway.implicit.ear import Overheard
    from gateway.implicit.rules import ImplicitRules


class Note(NamedTuple):
    """A request, or what came of it, and the rules that it is looked at by."""

    rules: ImplicitRules
    request: Overheard
    answer: Gathered | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class Look:
    """What a note says: of which conversation, and when (seconds of 1970).

    `choices` is what the answer says, if there is one that could be read, and `words` is the wording of those of them
    that say anything.
    """

    note: Note
    now: Conversation
    at: float
    choices: Sequence[Choice] = ()
    words: Sequence[str] = ()

    @property
    def keys(self) -> list[bytes]:
        """Return by which keys is remembered what has to be known."""
        now = self.now
        if self.note.outcome is not None:
            return [now.whole]
        return [now.whole, now.loop] if now.before is None else [now.whole, now.loop, now.before]


def of_request(note: Note, reader: Reader) -> Look | None:
    """Return what a request says; None of one that is too long.

    Who asks is told by the key, and by the user and the session that the request names.
    """
    decision, ask = note.request.decision, note.request.ask
    if ask.chat.is_longer(LONGEST_REQUEST):
        return None
    features, user = decision.features, ask.holder.user
    session = str(features.get("session")) if features.get("session.given") is True else ""
    now = reader.read(ask.chat.body, f"{ask.identity}\n{user}\n{session}", told_apart=bool(user or session))
    return Look(note, now, decision.at.timestamp())


def of_answer(note: Note, outcome: Outcome, now: Conversation) -> Look:
    """Return what came of a request, whose conversation was `now`."""
    look = Look(note, now, outcome.at.timestamp())
    if outcome.error is None:
        look.choices = _choices(note.answer, outcome)
        look.words = [words for choice in look.choices if (words := wording(choice))]
    return look


def _choices(answer: Gathered | None, outcome: Outcome) -> tuple[Choice, ...]:
    """Return what an answer says; none where that could not be read."""
    choices, reason = (answer.choices() if answer else None) or (), outcome.finish_reason
    return tuple([one if one.finish_reason else replace(one, finish_reason=reason) for one in choices])
