"""The part of the battery that is about what is new in a log, what is erased from it, and moves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.store.base import Cursor, LoggedEvent, RewoundError, Selection
from gateway.store.samples import (
    NOON,
    build_decision,
    build_erasure,
    build_feedback,
    build_move,
    build_outcome,
    expect,
    expect_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.base import Store


def _changed(store: Store, after: Cursor, limit: int = 1000) -> tuple[list[int], Cursor]:
    ids, cursor = store.changed(after, limit)
    return [decision_id.int for decision_id in ids], cursor


def check_tells_what_changed(store: Store) -> None:
    """Check that each thing stored about a decision is told once, in the order in which it was stored."""
    numbers, start = _changed(store, Cursor())
    expect([], numbers, "of an empty log")
    store.append([build_decision(2), build_decision(1), build_outcome(2)])
    numbers, first = _changed(store, start)
    expect([2, 1], numbers, "the first changes")
    expect(([], first), _changed(store, first), "nothing new")

    store.append([build_feedback("f", 1), build_outcome(1), build_feedback("g", 3), build_decision(2)])
    numbers, second = _changed(store, first)
    expect([1, 3], numbers, "feedback and an outcome; a repeat is no change")

    store.append([build_decision(3), build_move(1)])
    numbers, third = _changed(store, second)
    expect([3], numbers, "a decision after its feedback; a move is not about a decision")
    expect(([2, 1, 3], third), _changed(store, Cursor()), "from the start")


def check_tells_changes_piece_by_piece(store: Store) -> None:
    """Check that a limit is one of changes, and that pieces, one after the other, leave out nothing."""
    store.append([build_decision(n) for n in range(5)])
    store.append([build_outcome(n) for n in range(5)])

    found, cursor = [], Cursor()
    while (piece := _changed(store, cursor, 3))[0]:
        found.append(piece[0])
        cursor = piece[1]

    expect([[0, 1, 2], [3, 4, 0], [1, 2, 3], [4]], found, "pieces")


def check_gives_the_events_asked_for(store: Store) -> None:
    """Check that decisions come in the order of the ids, whole; one that is not there is left out."""
    store.append([build_decision(n) for n in range(600)])
    store.append([build_outcome(1), build_feedback("f", 1), build_feedback("g", 700)])
    wanted = [700, *range(599, -1, -1)]

    found = store.events([UUID(int=number) for number in wanted])

    expect(wanted[1:], [event.decision.id.int for event in found], "ids")
    expect(LoggedEvent(build_decision(1), build_outcome(1), (build_feedback("f", 1),)), found[-2], "an event")
    expect([], store.events([]), "of no ids")


def check_knows_a_cursor_of_another_log(store: Store) -> None:
    """Check that a cursor that does not belong to the log is no place in it."""
    store.append([build_decision(1)])
    _, cursor = store.changed(Cursor(), 10)

    for foreign in (replace(cursor, log="0" * 32), replace(cursor, position=cursor.position + 1)):
        expect_error(RewoundError, partial(store.changed, foreign, 10), "a foreign cursor")


def check_erases_for_good(store: Store) -> None:
    """Check that erased feedback is gone, that this is a change, and that it does not come back under its id."""
    store.append([build_decision(1), build_feedback("f", 1), build_feedback("g", 1), build_feedback("h", 2)])
    _, cursor = store.changed(Cursor(), 10)

    erased = store.erase(Selection(id="f"), build_erasure("f", 1).at)

    expect([build_erasure("f", 1)], erased, "what is left")
    expect(([1], cursor.position + 1), (_changed(store, cursor)[0], store.changed(cursor, 10)[1].position), "changes")
    expect(None, store.feedback("f"), "what was erased")
    expect([False, True], store.append([build_feedback("f", 1), build_feedback("i", 1)]), "the same id again")
    expect([("g", "i")], [tuple(one.id for one in event.feedback) for event in store.joined()], "what is there")
    expect([], store.erase(Selection(id="f"), NOON), "erasing again")


def check_erases_what_is_selected(store: Store) -> None:
    """Check that feedback is selected by all that is given, and by nothing else."""
    pieces = [
        build_feedback("a", 1, source="user", caller="key_1"),
        build_feedback("b", 1, source="user", caller="key_2"),
        build_feedback("c", 1, source="grader", caller="key_1"),
        build_feedback("d", 2, source="user", caller="key_1"),
        build_feedback("e", 3, source="judge", caller=""),
    ]
    store.append(pieces)
    asked: list[tuple[Selection, list[str]]] = [
        (Selection(id="a", caller="key_2"), []),
        (Selection(decision_id=UUID(int=1), caller="key_1"), ["a", "c"]),
        (Selection(source="user"), ["b", "d"]),
        (Selection(caller=""), ["e"]),
    ]

    for which, expected in asked:
        expect(expected, [erasure.feedback_id for erasure in store.erase(which, NOON)], f"erased by {which}")


def check_takes_erasures_as_events(store: Store) -> None:
    """Check that an appended erasure deletes, once, and keeps out what comes only later."""
    erasures = [build_erasure("f", 1), build_erasure("later", 1)]
    store.append([build_decision(1), build_feedback("f", 1)])

    expect([True, True, False], store.append([*erasures, erasures[0]]), "erasures")
    expect([False], store.append([build_feedback("later", 1)]), "feedback that was erased before it came")
    expect([LoggedEvent(build_decision(1), None, ())], list(store.joined()), "joined")
    store.append([build_feedback("g", 1)])
    _, cursor = store.changed(Cursor(), 100)
    store.append([build_erasure("g", 7)])
    expect([1], _changed(store, cursor)[0], "what is told to be about another decision than it was")


def check_keeps_moves_in_order(store: Store) -> None:
    """Check that moves come as they were stored, whatever the clock said, each once."""
    early, other = build_move(1), build_move(3, policy="coding", evidence={})
    late = build_move(2, at=NOON, after="rolled_back")

    expect([True, True, False, True], store.append([early, late, early, other]), "moves")

    expect([early, late, other], store.moves(), "all")
    expect([early, late], store.moves("auto"), "of a policy")
    expect([], store.moves("unknown"), "of an unknown policy")


#: Every check of this part.
CHANGES_CHECKS: tuple[Callable[[Store], None], ...] = (
    check_tells_what_changed,
    check_tells_changes_piece_by_piece,
    check_gives_the_events_asked_for,
    check_knows_a_cursor_of_another_log,
    check_erases_for_good,
    check_erases_what_is_selected,
    check_takes_erasures_as_events,
    check_keeps_moves_in_order,
)
