from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import Outcome
from gateway.implicit.answer import Gathered
from gateway.implicit.look import Note
from gateway.implicit.memory import LocalMemory
from gateway.implicit.rules import ImplicitRules
from gateway.implicit.watch import LATER_S, MAX_NOTES, Watch
from gateway.quotas.types import Holder
from providers.chat import parse_chat

RULES = ImplicitRules()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEXT = "The Amazon is the largest river of the world by the water that it carries, and among the longest of all."


def request(number, *messages, after_s=0.0):
    """Return a request as it is overheard: number, and when it was decided on."""
    turns = messages or ({"role": "user", "content": f"Which river is the number {number}?"},)
    chat = parse_chat(json.dumps({"model": "auto", "messages": list(turns)}).encode())
    ask = SimpleNamespace(chat=chat, identity="key", holder=Holder(user="ann"), request=SimpleNamespace(headers={}))
    at = NOON + timedelta(seconds=after_s)
    decision = SimpleNamespace(id=UUID(int=number), at=at, features={}, caller="key", policy="auto")
    return SimpleNamespace(ask=ask, decision=decision, routed=None)


def answer(of, text=TEXT, after_s=1.0):
    """Return the note of a request's answer."""
    gathered = Gathered()
    gathered.whole(json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode())
    at = of.decision.at + timedelta(seconds=after_s)
    outcome = Outcome(of.decision.id, at, "m", 200, None, "stop", 1, 1, 0, None, None, 1.0, ())
    return Note(RULES, of, gathered, outcome)


class Watching:
    """A watch that runs: what it told, and how many notes it had no room for."""

    def __init__(self):
        self.told, self.dropped = [], 0
        self.memory = LocalMemory(600, b"a key")
        self.watch = Watch(self.memory, self.told.append, self.drop)
        self.task = asyncio.ensure_future(self.watch.run())

    def drop(self):
        self.dropped += 1

    async def looked_at(self, *notes):
        """Return what is told of notes."""
        for note in notes:
            self.watch.note(note)
        await self.watch.settle()
        return [(feedback.decision_id.int, feedback.name, feedback.value) for feedback in self.told]


@pytest.fixture
async def watching():
    """Return a watch that has nothing to look at yet."""
    watching = Watching()
    await asyncio.sleep(0)
    yield watching
    watching.task.cancel()
    await asyncio.gather(watching.task, return_exceptions=True)


async def test_who_asks_again_was_not_content(watching):
    """The first answer is told of, when the second is asked for."""
    first, second = request(1, {"role": "user", "content": "Which?"}), request(2, {"role": "user", "content": "Which?"})
    second.decision.at += timedelta(seconds=30)

    assert [] == await watching.looked_at(Note(RULES, first), answer(first))
    assert [(1, "retry", 0.2)] == await watching.looked_at(Note(RULES, second), answer(second))


@pytest.mark.parametrize(
    ("back", "name"), [(TEXT, "continued"), (TEXT.replace("largest", "mightiest"), "edited"), ("Oh.", None)]
)
async def test_an_answer_that_comes_back_is_known_again(watching, back, name):
    """As it was, or mended; another text is no answer of ours."""
    ask = {"role": "user", "content": "Which river is the largest?"}
    first = request(1, ask)
    second = request(2, ask, {"role": "assistant", "content": back}, {"role": "user", "content": "And?"}, after_s=20)
    await watching.looked_at(Note(RULES, first), answer(first))

    assert [name] * (name is not None) == [
        found for number, found, _ in await watching.looked_at(Note(RULES, second)) if number == 1
    ]


async def test_notes_are_looked_at_many_at_a_time(watching):
    """Not at once, as waking up takes longer than looking; and not much later."""
    for number in range(20):
        watching.watch.note(Note(RULES, request(number)))
        await asyncio.sleep(0)
    assert 0 == len(watching.memory)
    await asyncio.sleep(20 * LATER_S)

    assert 20 == len(watching.memory)


async def test_who_waits_for_all_to_be_looked_at_does_not_wait_for_more(watching):
    """A gateway that ends has no time to lose, and what is noted later is looked at as well."""
    watching.watch.note(Note(RULES, request(1)))
    await watching.watch.settle()
    assert 1 == len(watching.memory)
    await watching.watch.settle()
    watching.watch.note(Note(RULES, request(2)))
    await asyncio.sleep(20 * LATER_S)

    assert 2 == len(watching.memory)


async def test_others_go_on_while_many_notes_are_looked_at(watching):
    """For about a millisecond nobody else does; a thousand notes take more."""
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    notes = [Note(RULES, request(number)) for number in range(1000)]
    other = asyncio.ensure_future(others())
    await watching.looked_at(*notes)
    other.cancel()

    assert 1000 == len(watching.memory)
    assert 3 < turns < 1000


async def test_what_there_is_no_room_for_is_counted(watching):
    """Notes do not pile up without bound."""
    note = Note(RULES, request(1))
    for _ in range(MAX_NOTES + 3):
        watching.watch.note(note)

    assert 3 == watching.dropped


async def test_of_an_answer_nobody_remembers_the_question_nothing_is_kept(watching):
    """It could not be known again; what the answer lacks is told all the same."""
    watching.watch.memory = LocalMemory(600, most=0)
    first = request(1)

    assert [(1, "empty", 0.0)] == await watching.looked_at(Note(RULES, first), answer(first, text=""))
    assert 0 == len(watching.watch.memory)


#: What happens, to which of the requests or conversations, and how many seconds after what happened before.
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "next", "answer", "fail"]), st.integers(0, 2), st.sampled_from([0.0, 2.0, 30.0])),
    max_size=16,
)
#: How an answer comes back: as it was, mended, and another one.
BACK = (TEXT, TEXT.replace("largest", "mightiest"), "Oh.")


def story(steps):
    """Return what is noted while requests are asked, answered, asked again and gone on from."""
    notes, under_way, now = [], [], 0.0
    for number, (what, which, after_s) in enumerate(steps):
        now += after_s
        if what in ("ask", "next"):
            turns = [{"role": "user", "content": f"Which river is the largest of {which // 2}?"}]
            if what == "next":
                turns += [{"role": "assistant", "content": BACK[which]}, {"role": "user", "content": "And?"}]
            under_way.append((request(number, *turns, after_s=now), now))
            notes.append(Note(RULES, under_way[-1][0]))
        elif under_way:
            asked, asked_s = under_way.pop(which % len(under_way))
            note = answer(asked, after_s=now - asked_s)
            notes.append(note._replace(outcome=replace(note.outcome, error="timeout" if what == "fail" else None)))
    return notes


async def told_of(*together):
    """Return what is told of notes, some of which are looked at together each time, and how much is remembered."""
    watching = Watching()
    for notes in together:
        await watching.looked_at(*notes)
    watching.task.cancel()
    await asyncio.gather(watching.task, return_exceptions=True)
    return watching.told, dict(watching.memory._seen)


@given(STEPS)
def test_notes_that_are_looked_at_together_tell_what_they_tell_one_by_one(steps):
    """Also where one has to do with another that was noted a moment before."""
    notes = story(steps)

    assert asyncio.run(told_of(*[[note] for note in notes])) == asyncio.run(told_of(notes))
