from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.plans.self_consistency import SelfConsistency
from tests.routers.plans.driving import SMALL, Told, asked, driven


def saying(*texts):
    """Return what is said, one after the other, whoever is asked; the last one for ever."""
    said = chain(texts, repeat(texts[-1]))
    return lambda *_: next(said)


def test_it_stops_as_soon_as_enough_agree():
    """Two of two have the share that it takes."""
    calls, finish = driven(SelfConsistency(Told(), samples=5, batch=2), saying("42", "The answer is 42"))

    assert [("small", "small")] == asked(calls)
    assert "42" == finish.answer.text
    assert [{"temperature": 0.7}] == [dict(call.parameters) for call in calls]


def test_it_goes_on_while_they_differ():
    """The most frequent counts in the end, however few it is."""
    calls, finish = driven(SelfConsistency(Told(), samples=5, batch=2), saying("1", "2", "3", "4", "2"))

    assert [2, 2, 1] == [len(call.candidates) for call in calls]
    assert "2" == finish.answer.text


def test_it_stops_where_nothing_could_change_the_result():
    """Three of five are the majority, whatever the others were."""
    plan = SelfConsistency(Told(), samples=5, batch=1, share=1.0)
    calls, _ = driven(plan, saying("1", "2", "2", "2", "9"))

    assert 4 == len(calls)


def test_agreement_is_not_correctness():
    """Agreed on a wrong answer, it returns that: nothing downstream mends it (ACAR's negative finding)."""
    _, finish = driven(SelfConsistency(Told()), saying("41"))

    assert "41" == finish.answer.text


def test_samples_that_are_no_answers_do_not_vote():
    """Refused or failed, they are no majority; where all are, the first is returned as it is."""
    _, finish = driven(SelfConsistency(Told(), samples=3, batch=3), saying(None, None, "7"))
    _, nothing = driven(SelfConsistency(Told(), samples=2, batch=2), saying(None))

    assert "7" == finish.answer.text
    assert "timeout" == nothing.answer.error


@given(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=9, max_size=9), st.integers(1, 9), st.integers(1, 9))
def test_the_most_frequent_of_all_that_were_drawn_is_returned(said, samples, batch):
    """However they come, and never more of them than it may draw."""
    calls, finish = driven(SelfConsistency(Told(), samples, min(batch, samples)), saying(*said), pool=(SMALL,))
    drawn = said[: sum(len(call.candidates) for call in calls)]
    votes = [one for one in drawn if one is not None]

    assert len(drawn) <= samples
    assert not votes or votes.count(finish.answer.text) == max(map(votes.count, votes))


@pytest.mark.parametrize("options", [{"batch": 9}, {"samples": 0}, {"share": 0.0}, {"temperature": 0.0}])
def test_options_that_make_no_sense_are_refused(options):
    """Samples at a temperature of 0 would all be the same."""
    with pytest.raises(ValueError, match=next(iter(options))):
        SelfConsistency(Told(), **options)
