"""How many requests are taken in a turn of the event loop: the decision alone."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.shedding import ALWAYS, BEGIN, BURST, BURST_S, FEW, FEWEST, HOLD_S, MANY, STANDING_S, WAITS, Shedding

LAG_S = 0.025
#: A turn that is too long, and one that is short, also under overload.
LONG_S, SHORT_S = 2 * BEGIN * LAG_S, LAG_S / WAITS / 2


def pressed() -> Shedding:
    """Return one that has begun to refuse."""
    shedding = Shedding(LAG_S)
    shedding.turn(0.0, ALWAYS)
    assert shedding.is_on
    return shedding


def taken(shedding: Shedding, count: int, *, unanswered: int = 10 * ALWAYS, early: bool = False) -> int:
    """Return how many of so many requests are taken."""
    return sum(shedding.takes(unanswered, early=early) for _ in range(count))


def worked(shedding: Shedding, now: float, work_s: float, *, resting: int = 0) -> float:
    """Work on what was taken for so many seconds until it is sent on, pass on the answers, and return when."""
    count = shedding.turn(now, resting)
    shedding.turned(count, now + work_s, work_s, work_s)
    shedding.answered(count)
    return now + work_s


def test_a_burst_is_taken_and_what_is_beyond_it_refused():
    """All of one turn are read before the first is gone on with."""
    assert BURST == taken(Shedding(LAG_S), 2000)


def test_two_turns_share_a_burst():
    """After one turn a part of what its requests need is left to do."""
    shedding = Shedding(LAG_S)
    assert 400 == taken(shedding, 400)
    shedding.turn(0.0, 0)
    assert BURST - 400 == taken(shedding, 400)


def test_what_is_not_sent_on_yet_counts_however_few_come_meanwhile():
    """A request takes several turns until it is, in which others are read."""
    shedding = Shedding(LAG_S)
    taken(shedding, 400)
    for _ in range(4):
        shedding.turn(0.0, 0)
        assert 3 == taken(shedding, 3)
    assert BURST - 400 - 3 == taken(shedding, 2000)


def test_what_was_sent_on_counts_until_it_is_answered():
    """The answers take as long again: waves that come one after another are more than one that comes at once."""
    shedding = Shedding(LAG_S)
    taken(shedding, 400)
    shedding.turned(shedding.turn(0.0, 0), SHORT_S, SHORT_S, SHORT_S)
    assert BURST - 400 == taken(shedding, 400)
    shedding.turn(SHORT_S, 0)
    shedding.answered(400)
    assert 400 == taken(shedding, 2000)


def test_who_was_answered_may_ask_again_while_others_of_the_same_turn_wait():
    """Hundreds of clients that never wait are no more than they are, however slowly they are answered."""
    shedding = Shedding(LAG_S)
    taken(shedding, 400)
    shedding.turned(shedding.turn(0.0, 0), SHORT_S, SHORT_S, SHORT_S)
    assert all(shedding.takes(100 + number) for number in range(300))


def test_there_is_room_for_another_burst_later():
    """Once nothing is left of the first."""
    shedding = Shedding(LAG_S)
    taken(shedding, BURST)
    worked(shedding, 0.0, SHORT_S)
    assert BURST == taken(shedding, 2000)


def test_fewer_make_a_burst_where_each_takes_long():
    """What is bounded is the time that they take."""
    shedding, now = Shedding(LAG_S), 0.0
    for _ in range(20):
        taken(shedding, ALWAYS - 1)
        now = worked(shedding, now, (ALWAYS - 1) * BURST_S / 300)
    assert 300 == pytest.approx(taken(shedding, 2000), abs=3)


def test_a_burst_is_never_less_than_what_is_always_taken():
    """However long requests take."""
    shedding, now = Shedding(LAG_S), 0.0
    for _ in range(20):
        taken(shedding, ALWAYS - 1)
        now = worked(shedding, now, 10.0)
    assert ALWAYS == taken(shedding, 2000)


def test_turns_of_few_requests_tell_nothing_of_what_one_takes():
    """Their time is that of streams' events."""
    shedding = Shedding(LAG_S)
    taken(shedding, MANY - 1)
    worked(shedding, 0.0, 10.0)
    assert BURST == taken(shedding, 2000)


def test_a_few_clients_that_never_wait_are_no_overload():
    """However long turns are."""
    shedding, now = Shedding(LAG_S), 0.0
    for _ in range(100):
        assert ALWAYS - 1 == taken(shedding, ALWAYS - 1)
        now = worked(shedding, now, LONG_S)


def test_many_long_turns_of_many_requests_are_overload():
    """Though none was more than a burst."""
    shedding, now, turns = Shedding(LAG_S), 0.0, 0
    while not shedding.is_on:
        taken(shedding, ALWAYS)
        now, turns = worked(shedding, now, LONG_S), turns + 1
    assert ceil(STANDING_S / LONG_S) == turns


def test_bursts_with_pauses_are_no_overload():
    """What was done in time is taken off."""
    shedding, now = Shedding(LAG_S), 0.0
    for _ in range(50):
        assert 500 == taken(shedding, 500)
        now = worked(shedding, now, STANDING_S / 2) + STANDING_S


def test_turns_with_many_and_with_none_may_alternate_under_overload():
    """Clients in step are answered in one turn, and ask again in the next."""
    shedding, now = Shedding(LAG_S), 0.0
    while not shedding.is_on:
        taken(shedding, ALWAYS)
        now = worked(shedding, now, LONG_S)
    shedding.turn(now + HOLD_S / 2, 0)
    assert shedding.is_on
    shedding.turn(now + 2 * HOLD_S, 0)
    assert not shedding.is_on


def test_it_begins_once_many_rest_and_is_over_once_few_do():
    """Nobody is refused any more at once."""
    shedding = pressed()
    taken(shedding, ALWAYS)
    shedding.turn(1.0, 0)
    assert shedding.is_on
    shedding.turn(1.0, ALWAYS - 1)
    assert not shedding.is_on
    assert BURST == taken(shedding, 2000)


def test_under_overload_so_many_are_taken_that_turns_stay_short():
    """Fewer after a long turn, more after a short one that was full."""
    shedding = pressed()
    first = taken(shedding, 500)
    now = worked(shedding, 0.0, LONG_S, resting=ALWAYS)
    second = taken(shedding, 500)
    worked(shedding, now, SHORT_S, resting=ALWAYS)
    assert second < first
    assert second < taken(shedding, 500) <= second + 2


def test_one_is_taken_in_each_turn_however_long_turns_are():
    """Streams may need all the time there is."""
    shedding, now = pressed(), 0.0
    for _ in range(100):
        now = worked(shedding, now, LONG_S, resting=ALWAYS)
    assert 1 == taken(shedding, 500)


def test_few_unanswered_are_always_taken():
    """They keep the processor busy."""
    shedding = pressed()
    assert 500 == taken(shedding, 500, unanswered=FEW - 1)


def test_who_comes_back_too_early_takes_nobodys_place():
    """But that of a processor which has nothing to do."""
    shedding = pressed()
    assert 0 == taken(shedding, 50, unanswered=FEWEST, early=True)
    assert 50 == taken(shedding, 50, unanswered=FEWEST - 1, early=True)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3000), st.integers(0, 900), st.booleans()), max_size=40))
def test_never_more_are_taken_than_came_and_each_is_taken_or_refused(turns):
    """Whatever the loop does; and never more than a burst in a turn."""
    shedding, now = Shedding(LAG_S), 0.0
    for work_s, resting, coming, early in turns:
        count = taken(shedding, coming, early=early)
        assert count <= BURST
        assert coming == count + shedding.refused
        now = worked(shedding, now, work_s, resting=resting)
