"""Watches what comes after answers, beside the requests: nobody waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.caching.fitness import LONGEST_REQUEST
from gateway.implicit.conversation import Reader, wording
from gateway.implicit.flaws import flaws, is_well_formed
from gateway.implicit.repeats import answered, asked_again, came_to_nothing
from gateway.implicit.seen import Given, Seen
from gateway.implicit.signs import NOTHING_KNOWN, Known, Sign, Signs, feedback, is_clients_own
from gateway.implicit.sketch import Sketcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.events import Feedback, Outcome
    from gateway.implicit.answer import Choice, Gathered
    from gateway.implicit.conversation import Conversation
    from gateway.implicit.ear import Overheard
    from gateway.implicit.memory import Memory
    from gateway.implicit.rules import ImplicitRules

#: What may wait to be looked at; of more, nothing is known.
MAX_NOTES: Final = 10_000
#: Requests that are remembered as under way; the end of some may never have been noted, for want of room.
MAX_UNDER_WAY: Final = 50_000
#: Notes are looked at so much later, many at a time: to wake up for each would take as long as looking at it.
LATER_S: Final = 0.005
#: How long others who want to run are kept waiting, about.
TURN_S: Final = 0.005


class Note(NamedTuple):
    """A request, or what came of it, and the rules that it is looked at by."""

    rules: ImplicitRules
    request: Overheard
    answer: Gathered | None = None
    outcome: Outcome | None = None


class Watch:
    """Looks at notes one after the other, in the order in which things happened.

    `tell` is given what was seen, `on_dropped` is called for each note that there was no room for. Another `memory`
    may take the place of the first.
    """

    def __init__(self, memory: Memory, tell: Callable[[Feedback], None], on_dropped: Callable[[], None]) -> None:
        self.memory = memory
        self._tell = tell
        self._on_dropped = on_dropped
        self._notes: deque[Note] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._under_way: dict[UUID, Conversation] = {}
        self._secret = b""
        self._signs: Signs | None = None

    def note(self, note: Note) -> None:
        """Take a note, in less than a microsecond."""
        if len(self._notes) >= MAX_NOTES:
            self._on_dropped()
            return
        self._notes.append(note)
        if self._idle.is_set():
            self._idle.clear()
            asyncio.get_running_loop().call_later(LATER_S, self._work.set)

    async def run(self) -> None:
        """Look at notes until cancelled; now and then, whoever else wants to run goes first."""
        now = asyncio.get_running_loop().time
        while True:
            until = now() + TURN_S
            while self._notes:
                await self._look(self._notes.popleft())
                if now() >= until:
                    await asyncio.sleep(0)
                    until = now() + TURN_S
            self._idle.set()
            await self._work.wait()
            self._work.clear()

    async def settle(self) -> None:
        """Wait until all notes have been looked at."""
        self._work.set()
        await self._idle.wait()

    async def _look(self, note: Note) -> None:
        signs = await self._keys()
        if note.outcome is None:
            await self._asked(note, signs)
        elif (now := self._under_way.pop(note.request.decision.id, None)) is not None:
            await self._ended(note, note.outcome, now, signs)

    async def _keys(self) -> Signs:
        """Return what reads signs with the key in force."""
        secret = await self.memory.secret()
        if self._signs is None or secret != self._secret:
            self._secret, self._signs = secret, Signs(Reader(secret), Sketcher(secret))
        return self._signs

    async def _asked(self, note: Note, signs: Signs) -> None:
        decision, ask, rules = note.request.decision, note.request.ask, note.rules
        if len(ask.chat.text) > LONGEST_REQUEST:
            return
        at = decision.at.timestamp()
        now = _conversation(note.request, signs.reader)
        before = now.before or now.whole
        same, loop, turn = await self.memory.recall([now.whole, signs.reader.loop(now.turn), before], at)
        after = asked_again(same, decision.id, now.frame, at, rules)
        known = Known(same, loop, turn if now.before else None)
        if known != NOTHING_KNOWN and not is_clients_own(ask.request.headers):
            self._emit(signs.of_request(now, known, after, rules), note, decision.at)
        self._under_way[decision.id] = now
        if len(self._under_way) > MAX_UNDER_WAY:
            del self._under_way[next(iter(self._under_way))]
        await self.memory.keep({now.whole: after}, at)

    async def _ended(self, note: Note, outcome: Outcome, now: Conversation, signs: Signs) -> None:
        decision, at = note.request.decision, outcome.at.timestamp()
        (same,) = await self.memory.recall([now.whole], at)
        if outcome.error is not None:
            if (failed := came_to_nothing(same, decision.id, at)) is not None:
                await self.memory.keep({now.whole: failed}, at)
            return
        choices = _choices(note.answer, outcome)
        seen = {}
        if same is not None:  # else the request is forgotten, and nobody would compare with what it was answered
            seen[now.whole] = answered(same, decision.id, _given(decision.id, choices, signs), at)
        if now.in_loop:
            loop = Seen(decision.id, decision.at.timestamp(), now.frame, ended=at)
            seen[signs.reader.loop(now.turn)] = loop
        self._emit(_signs_in(decision.id, note, choices), note, outcome.at)
        await self.memory.keep(seen, at)

    def _emit(self, signs: Iterable[Sign], note: Note, at: datetime) -> None:
        for sign in signs:
            if (found := feedback(sign, note.rules, note.request.decision.caller, at)) is not None:
                self._tell(found)


def _conversation(request: Overheard, reader: Reader) -> Conversation:
    """Return a request's conversation; who asks is told by the key, and by the user and the session that it names."""
    ask, features = request.ask, request.decision.features
    session = str(features.get("session")) if features.get("session.given") is True else ""
    asker = f"{ask.identity}\n{ask.holder.user}\n{session}"
    return reader.read(ask.chat.body, asker, told_apart=bool(ask.holder.user or session))


def _choices(answer: Gathered | None, outcome: Outcome) -> tuple[Choice, ...]:
    """Return what an answer says; none where that could not be read."""
    choices, reason = (answer.choices() if answer else None) or (), outcome.finish_reason
    return tuple([one if one.finish_reason else replace(one, finish_reason=reason) for one in choices])


def _signs_in(decision: UUID, note: Note, choices: Sequence[Choice]) -> list[Sign]:
    """Return what an answer shows by itself."""
    body = note.request.ask.chat.body
    found = flaws(body, choices, note.rules.small_limit)
    if not found and is_well_formed(body, choices):
        return [Sign(decision, "well_formed")]
    return [Sign(decision, flaw, part) for flaw, part in found.items()]


def _given(decision: UUID, choices: Sequence[Choice], signs: Signs) -> list[Given]:
    """Return what is remembered of what an answer says."""
    said = [words for choice in choices if (words := wording(choice))]
    return [Given(decision, signs.reader.said(words), signs.sketcher.sketch(words), len(words)) for words in said]
