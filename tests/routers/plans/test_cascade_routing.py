import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.plans.cascade_routing import CascadeRouting
from tests.routers.plans.driving import LARGE, Gated, Told, asked, by_model, driven

SAYS = by_model(small="s", medium="m", large="l")


def test_whoever_gains_most_for_its_cost_is_next():
    """The large model gains more, and costs more than that."""
    calls, _ = driven(CascadeRouting(Gated(), Told(), quality_value_usd=0.1, max_steps=2), SAYS)
    rich, _ = driven(CascadeRouting(Gated(), Told(), quality_value_usd=10.0, max_steps=2), SAYS)

    assert [("small",), ("medium",)] == asked(calls)
    assert [("small",), ("large",)] == asked(rich)


def test_it_stops_where_nothing_is_worth_its_cost():
    """The answer at hand is good enough for its price."""
    calls, finish = driven(CascadeRouting(Gated(s=0.8), Told(), quality_value_usd=0.05), SAYS)

    assert [("small",)] == asked(calls)
    assert "s" == finish.answer.text


def test_an_answer_that_is_good_enough_for_what_the_next_would_cost_is_taken():
    """It was looked at, because a bad one would have been followed by a third."""
    unsure = Told(std=0.2)
    calls, finish = driven(CascadeRouting(Gated(s=0.7, m=0.95), unsure, quality_value_usd=0.5), SAYS)
    worse, _ = driven(CascadeRouting(Gated(s=0.7, m=0.1), unsure, quality_value_usd=0.5), SAYS)

    assert [("small",), ("medium",)] == asked(calls)
    assert (False, "m") == (calls[1].stream, finish.answer.text)
    assert ("large",) == asked(worse)[-1]


def test_a_first_call_after_which_nothing_can_be_gained_streams():
    """No gate would change anything."""
    calls, _ = driven(CascadeRouting(Gated(), Told(), quality_value_usd=0.001), SAYS)

    assert [True] == [call.stream for call in calls]
    assert {} == dict(calls[0].parameters)


def test_the_last_step_streams():
    """And where it fails, what there was is returned."""
    told = CascadeRouting(Gated(s=0.1), Told(), quality_value_usd=10.0, max_steps=2)
    calls, finish = driven(told, by_model(small="s", large=None, medium="m"))

    assert [False, True] == [call.stream for call in calls]
    assert "s" == finish.answer.text


def test_whom_nothing_is_expected_of_is_not_asked():
    """There is no gain to reckon with."""
    told = Told(rewards={"small": 0.5})
    calls, _ = driven(CascadeRouting(Gated(), told, quality_value_usd=100.0), SAYS)

    assert [("small",)] == asked(calls)


@given(st.floats(0, 1), st.floats(0, 2), st.floats(1, 3))
def test_who_values_quality_more_never_asks_fewer(chance, value, factor):
    """The decision to go on grows with what a good answer is worth."""
    few, _ = driven(CascadeRouting(Gated(s=chance, m=chance, l=chance), Told(), value), SAYS)
    more, _ = driven(CascadeRouting(Gated(s=chance, m=chance, l=chance), Told(), value * factor), SAYS)

    assert len(few) <= len(more) or len(asked(more)) < len(asked(few)) <= 3


def test_doubt_is_a_reason_to_ask():
    """An uncertain model may be better than the answer at hand: E[max] counts, not the mean."""
    even = {"small": 0.5, "medium": 0.5, "large": 0.5}
    sure, _ = driven(CascadeRouting(Gated(s=0.5), Told(rewards=even), 1.0), SAYS)
    unsure, _ = driven(CascadeRouting(Gated(s=0.5), Told(rewards=even, std=0.3), 1.0), SAYS)

    assert (1, True) == (len(sure), len(unsure) > 1)


def test_a_pool_of_one_is_a_single_call():
    """It streams."""
    calls, _ = driven(CascadeRouting(Gated(), Told("large")), SAYS, pool=(LARGE,))

    assert [True] == [call.stream for call in calls]


@pytest.mark.parametrize("options", [{"quality_value_usd": -1.0}, {"max_steps": 0}])
def test_options_that_make_no_sense_are_refused(options):
    """Each names what is wrong."""
    with pytest.raises(ValueError, match=next(iter(options))):
        CascadeRouting(Gated(), Told(), **options)
