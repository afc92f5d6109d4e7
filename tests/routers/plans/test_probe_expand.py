import pytest

from routers.plans.probe_expand import ProbeExpand
from tests.routers.plans.driving import SMALL, Told, asked, driven
from tests.routers.plans.test_self_consistency import saying

PLAN = ProbeExpand(Told("large"))


def test_the_cheapest_probes_whoever_was_drawn():
    """Three samples, at a temperature that lets them differ."""
    calls, _ = driven(PLAN, saying("42"))

    assert [("small", "small", "small")] == asked(calls)
    assert {"temperature": 0.7} == dict(calls[0].parameters)


@pytest.mark.parametrize(
    ("probes", "further"),
    [(("1", "1", "1"), []), (("1", "1", "2"), [("large",)]), (("1", "2", "3"), [("large", "medium")])],
)
def test_disagreement_decides_how_many_more_are_asked(probes, further):
    """ACAR's sigma: 0, one half, 1; the best expected go first."""
    calls, _ = driven(PLAN, saying(*probes, "9"))

    assert further == asked(calls)[1:2]


def test_what_the_probe_agrees_on_wrongly_is_returned():
    """Agreement is not correctness, and nobody else is asked: it bounds what the method can reach (ACAR)."""
    calls, finish = driven(PLAN, saying("41"))

    assert (1, "41") == (len(calls), finish.answer.text)


def test_probes_are_calls_like_others():
    """Three of them cost three times as much: it pays only where the probe is far cheaper than what it saves (ACAR)."""
    calls, _ = driven(PLAN, saying("1", "1", "2", "1"))

    assert 4 == sum(len(call.candidates) for call in calls)


def test_where_two_agree_the_better_models_vote_counts_for_more():
    """It is expected to be right nine times of ten, the probe every second time."""
    _, finish = driven(PLAN, saying("1", "1", "2", "2"))

    assert "large" == finish.answer.candidate.model


def test_where_none_agree_the_best_writes_the_answer_from_all():
    """It streams."""
    calls, finish = driven(PLAN, saying("1", "2", "3", "4", "5", "6"))

    assert [("small",) * 3, ("large", "medium"), ("large",)] == asked(calls)
    assert (True, "6") == (calls[-1].stream, finish.answer.text)


def test_probes_that_fail_disagree_with_all():
    """Others are asked; where those fail too, there is an error to return."""
    calls, finish = driven(PLAN, saying(None, None, None, "7"))
    _, nothing = driven(PLAN, saying(None))

    assert (2, "7") == (len(calls), finish.answer.text)
    assert "timeout" == nothing.answer.error


def test_where_there_is_nobody_else_the_vote_counts():
    """A pool of one is self-consistency of three samples."""
    calls, finish = driven(ProbeExpand(Told()), saying("1", "2", "2"), pool=(SMALL,))

    assert (1, "2") == (len(calls), finish.answer.text)


def test_equal_samples_would_tell_nothing():
    """A temperature of 0 is refused."""
    with pytest.raises(ValueError, match="temperature"):
        ProbeExpand(Told(), temperature=0)
