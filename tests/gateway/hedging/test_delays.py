from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hedging.delays import LEAST, MEMORY_S, MOST, Delays


def noted(seconds, model="m", *, at=0.0, streams=True):
    delays = Delays()
    for one in seconds:
        delays.note(model, one, at, streams=streams)
    return delays


def test_of_few_answers_nothing_is_known():
    """One slow answer of three is no percentile."""
    delays = noted([1.0] * (LEAST - 1))
    assert delays.within("m", 95, 0.0, streams=True) is None

    delays.note("m", 1.0, 0.0, streams=True)
    assert 1.0 == delays.within("m", 95, 0.0, streams=True)


def test_streams_and_models_are_told_apart():
    """An answer that comes whole takes as long as it is long."""
    delays = noted([1.0] * LEAST)

    assert delays.within("m", 95, 0.0, streams=False) is None
    assert delays.within("other", 95, 0.0, streams=True) is None


def test_what_is_long_ago_says_nothing():
    """A model that was not asked for a while is learned anew."""
    delays = noted([1.0] * LEAST)

    assert 1.0 == delays.within("m", 95, MEMORY_S, streams=True)
    assert delays.within("m", 95, MEMORY_S + 1, streams=True) is None


def test_no_more_than_the_latest_are_kept():
    """A model that has become slower is soon known to be so."""
    delays = noted([1.0] * MOST + [5.0] * MOST)

    assert 5.0 == delays.within("m", 1, 0.0, streams=True)


@given(
    st.lists(st.floats(0, 1e3), min_size=LEAST, max_size=MOST),
    st.floats(50, 99.9),
)
def test_so_many_answers_began_within_it(seconds, percentile):
    """The percentage at least, and no shorter time that occurred would do."""
    within = noted(seconds).within("m", percentile, 0.0, streams=True)
    wanted = ceil(percentile / 100 * len(seconds))

    assert within in seconds
    assert sum(one <= within for one in seconds) >= wanted
    assert sum(one < within for one in seconds) < wanted


@given(
    st.lists(st.floats(0.001, 1e3), min_size=2 * LEAST, max_size=MOST),
    st.floats(50, 99),
    st.floats(1, 100),
)
def test_an_answer_that_was_not_waited_for_does_not_move_it(seconds, percentile, factor):
    """Whatever it would have taken: those beyond the percentile count as beyond it."""
    within = noted(seconds).within("m", percentile, 0.0, streams=True)
    cut = [within * factor if one > within else one for one in seconds]

    assert within == noted(cut).within("m", percentile, 0.0, streams=True)


@pytest.mark.parametrize(("percentile", "expected"), [(50, 10.0), (95, 19.0), (99, 20.0)])
def test_the_percentile_is_one_that_occurred(percentile, expected):
    """By nearest rank."""
    assert expected == noted([float(n) for n in range(1, 21)]).within("m", percentile, 0.0, streams=True)
