"""How many requests are taken while the loop is late: the decision alone."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.shedding import ALWAYS, BEGIN, EASY_S, FEW, MEMORY_S, RETRY_S, STANDING_S, Shedding

LAG_S, LATE_S, WINDOW_S = 0.025, 0.15, 0.16


def pressed(waiting: int = 10 * ALWAYS) -> Shedding:
    """Return one that has begun to refuse."""
    shedding = Shedding(LAG_S)
    for _ in range(ceil(STANDING_S / WINDOW_S)):
        shedding.sample(LATE_S, WINDOW_S, waiting)
    assert shedding.is_on
    return shedding


def taken(shedding: Shedding, count: int, *, in_flight: int = 10 * ALWAYS, early: bool = False) -> int:
    """Return how many of so many requests are taken."""
    return sum(shedding.takes(in_flight, early=early) for _ in range(count))


def test_all_are_taken_while_the_loop_is_in_time():
    """However many there are."""
    shedding = Shedding(LAG_S)
    for _ in range(50):
        assert 1000 == taken(shedding, 1000)
        shedding.sample(BEGIN * LAG_S, WINDOW_S, 1000)


@pytest.mark.parametrize(
    "samples",
    [
        [(LATE_S, 500)],
        [(LATE_S, 500), (LATE_S, 400), (LATE_S, 300), (LATE_S, 100)],
        [(LATE_S, ALWAYS)] * 9,
        [*[(LATE_S, 500)] * 3, *[(0.0, 500)] * 3, *[(LATE_S, 500)] * 3],
        [(LATE_S, 500), *[(0.0, 500)] * round(MEMORY_S / WINDOW_S + 1), (LATE_S, 500)],
    ],
    ids=["once", "a backlog that becomes smaller", "few wait", "with pauses", "long ago"],
)
def test_what_is_no_overload_refuses_nobody(samples):
    """A loop may be late for once, or for another reason than requests."""
    shedding = Shedding(LAG_S)
    for late_s, waiting in samples:
        shedding.sample(late_s, WINDOW_S, waiting)
        assert ALWAYS == taken(shedding, ALWAYS)


def test_a_late_loop_with_more_and_more_waiting_refuses():
    """Whoever comes then, until some have been answered."""
    assert 0 == taken(pressed(), 500)


def test_about_as_many_are_taken_as_were_answered():
    """Fewer while it is too late, more while it is not."""
    shedding = pressed(1000)
    shedding.sample(LATE_S, WINDOW_S, 800)
    assert 100 == taken(shedding, 500)
    shedding.sample(LAG_S, WINDOW_S, 700)
    assert 225 == taken(shedding, 500)


def test_more_and_more_are_taken_while_the_loop_is_in_time():
    """Also where none was answered: models take their time."""
    shedding, found = pressed(), []
    for _ in range(30):
        shedding.sample(0.0, 0.01, 10 * ALWAYS)
        found.append(taken(shedding, 500))
    assert sorted(found) == found
    assert 0 == found[0]
    assert found[-1] > 50


def test_few_in_flight_are_always_taken():
    """So many any machine serves soon."""
    shedding = pressed()
    assert 50 == taken(shedding, 50, in_flight=FEW - 1)
    shedding.sample(LATE_S, WINDOW_S, 10 * ALWAYS)
    shedding.sample(LATE_S, WINDOW_S, 10 * ALWAYS)
    shedding.sample(LATE_S, WINDOW_S, FEW - 10)
    shedding.sample(LATE_S, WINDOW_S, FEW - 10)
    assert 10 == taken(shedding, 50, in_flight=10 * ALWAYS)


def test_who_comes_back_too_early_takes_nobodys_place():
    """What others left is his once the loop has been in time for a while."""
    shedding = pressed()
    shedding.sample(0.0, EASY_S / 2, 10 * ALWAYS - 100)
    assert 0 == taken(shedding, 50, early=True)
    assert 50 == taken(shedding, 50)
    shedding.sample(0.0, EASY_S, 10 * ALWAYS - 200)
    assert 50 == taken(shedding, 50, early=True)


def test_who_comes_back_too_early_is_among_the_few():
    """Clients that never wait must not be refused while the processor has nothing to do."""
    shedding = pressed()
    shedding.sample(LATE_S, WINDOW_S, 10)
    assert FEW - 10 == taken(shedding, 500, early=True)


def test_it_is_over_once_nobody_was_refused_for_a_while():
    """And begins anew only with a new overload."""
    shedding, seconds = pressed(), 0.0
    while shedding.is_on:
        shedding.sample(0.0, 0.1, 0)
        seconds += 0.1
    assert RETRY_S == pytest.approx(seconds, abs=0.11)
    shedding.sample(LATE_S, WINDOW_S, 10 * ALWAYS)
    assert not shedding.is_on


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3000), st.integers(0, 300), st.booleans()), max_size=40))
def test_never_more_are_taken_than_came_and_each_is_taken_or_refused(windows):
    """Whatever the loop does."""
    shedding = Shedding(LAG_S)
    for late_s, waiting, coming, early in windows:
        assert coming == taken(shedding, coming, early=early) + shedding.refused
        shedding.sample(late_s, late_s + 0.01, waiting)
