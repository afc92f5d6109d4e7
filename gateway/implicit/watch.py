"""Watches what comes after answers, beside the requests: nobody waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.implicit.conversation import Reader
from gateway.implicit.flaws import flaws, is_well_formed
from gateway.implicit.look import of_answer, of_request
from gateway.implicit.repeats import answered, asked_again, came_to_nothing
from gateway.implicit.seen import Given, Seen
from gateway.implicit.signs import Known, Sign, Signs, feedback, is_clients_own
from gateway.implicit.sketch import Sketcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.events import Feedback, Outcome
    from gateway.implicit.conversation import Conversation
    from gateway.implicit.look import Look, Note
    from gateway.implicit.memory import Memory

#: What may wait to be looked at; of more, nothing is known.
MAX_NOTES: Final = 10_000
#: Requests that are remembered as under way; the end of some may never have been noted, for want of room.
MAX_UNDER_WAY: Final = 50_000
#: Notes are looked at so much later, many at a time: to wake up for each would take as long as looking at it.
LATER_S: Final = 0.02
#: How many are looked at before others who want to run go first; fewer, where reading them takes longer than this.
AT_ONCE: Final = 64
TURN_S: Final = 0.005


class Watch:
    """Looks at notes in the order in which things happened, some at a time.

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
        self._under_way: dict[int, Conversation] = {}
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
        """Look at notes until cancelled; after some of them, whoever else wants to run goes first."""
        while True:
            while self._notes:
                await self._look()
                await asyncio.sleep(0)
            self._idle.set()
            await self._work.wait()
            self._work.clear()

    async def settle(self) -> None:
        """Wait until all notes have been looked at."""
        self._work.set()
        await self._idle.wait()

    async def _look(self) -> None:
        """Look at some notes: what all of them have to do with is recalled at once, and kept at once."""
        memory = self.memory
        signs = await self._keys(memory)
        looks = self._read(signs.reader)
        if not looks:
            return
        keys = list({key: None for look in looks for key in look.keys})
        seen = dict(zip(keys, await memory.recall(keys, looks[0].at), strict=True))
        sketches = iter(signs.sketcher.sketches([words for look in looks for words in look.words]))
        changed: dict[bytes, Seen] = {}
        for look in looks:
            if look.note.outcome is None:
                new = self._asked(look, seen, signs)
            else:
                new = self._ended(look, look.note.outcome, seen, _given(look, signs, sketches))
            seen.update(new)
            changed.update(new)
        await memory.keep(changed, looks[-1].at)

    def _read(self, reader: Reader) -> list[Look]:
        """Return what some notes say, the first ones, in their order."""
        now = asyncio.get_running_loop().time
        until = now() + TURN_S
        looks: list[Look] = []
        while self._notes and len(looks) < AT_ONCE and now() < until:
            note = self._notes.popleft()
            decision = note.request.decision.id.int
            if note.outcome is not None:
                if (conversation := self._under_way.pop(decision, None)) is not None:
                    looks.append(of_answer(note, note.outcome, conversation))
            elif (look := of_request(note, reader)) is not None:
                looks.append(look)
                self._under_way[decision] = look.now
        while len(self._under_way) > MAX_UNDER_WAY:
            del self._under_way[next(iter(self._under_way))]
        return looks

    async def _keys(self, memory: Memory) -> Signs:
        """Return what reads signs with the key in force."""
        secret = await memory.secret()
        if self._signs is None or secret != self._secret:
            self._secret, self._signs = secret, Signs(Reader(secret), Sketcher(secret))
        return self._signs

    def _asked(self, look: Look, seen: Mapping[bytes, Seen | None], signs: Signs) -> dict[bytes, Seen]:
        """Tell what a request says of answers before; return what is remembered from now on."""
        note, now = look.note, look.now
        decision, rules = note.request.decision, note.rules
        same, loop = seen[now.whole], seen[now.loop]
        before = None if now.before is None else seen[now.before]
        after = asked_again(same, decision.id, now.frame, look.at, rules)
        known = same is not None or loop is not None or before is not None  # most requests come for the first time
        if known and not is_clients_own(note.request.ask.request.headers):
            self._emit(signs.of_request(now, Known(same, loop, before), after, rules), note, decision.at)
        return {now.whole: after}

    def _ended(
        self, look: Look, outcome: Outcome, seen: Mapping[bytes, Seen | None], given: Sequence[Given]
    ) -> dict[bytes, Seen]:
        """Tell what an answer shows; return what is remembered from now on."""
        now, decision, at = look.now, look.note.request.decision, look.at
        same = seen[now.whole]
        if outcome.error is not None:
            failed = came_to_nothing(same, decision.id, at)
            return {} if failed is None else {now.whole: failed}
        new = {}
        if same is not None:  # else the request is forgotten, and nobody would compare with what it was answered
            new[now.whole] = answered(same, decision.id, given, at)
        if now.in_loop:
            new[now.loop] = Seen(decision.id, decision.at.timestamp(), now.frame, ended=at)
        self._emit(_signs_in(look), look.note, outcome.at)
        return new

    def _emit(self, signs: Iterable[Sign], note: Note, at: datetime) -> None:
        for sign in signs:
            if (found := feedback(sign, note.rules, note.request.decision.caller, at)) is not None:
                self._tell(found)


def _signs_in(look: Look) -> list[Sign]:
    """Return what an answer shows by itself."""
    decision, body = look.note.request.decision.id, look.note.request.ask.chat.body
    found = flaws(body, look.choices, look.note.rules.small_limit)
    if not found and is_well_formed(body, look.choices):
        return [Sign(decision, "well_formed")]
    return [Sign(decision, flaw, part) for flaw, part in found.items()]


def _given(look: Look, signs: Signs, sketches: Iterator[bytes]) -> list[Given]:
    """Return what is remembered of what an answer says; its sketches are the next ones."""
    decision, said = look.note.request.decision.id, signs.reader.said
    return [Given(decision, said(words), next(sketches), len(words)) for words in look.words]
