import pytest

from routers.plans.best_of import BestOf
from tests.routers.plans.driving import LARGE, Gated, Told, asked, by_model, driven

SAYS = by_model(small="s", medium="m", large="l")


def test_the_answer_that_the_gate_trusts_most_counts():
    """Whoever gave it; all were asked at once, and with what the gate wants."""
    calls, finish = driven(BestOf(Gated(s=0.8, m=0.3, l=0.5), Told()), SAYS)

    assert [("large", "medium", "small")] == asked(calls)
    assert (False, {"logprobs": True}) == (calls[0].stream, dict(calls[0].parameters))
    assert "s" == finish.answer.text


def test_of_equals_the_one_counts_of_whom_most_was_expected():
    """A gate that cannot tell leaves the choice to the router's expectation."""
    assert "l" == driven(BestOf(Gated(), Told()), SAYS)[1].answer.text


def test_what_fails_is_nobodys_best():
    """Not even where the gate trusts nothing else."""
    assert "s" == driven(BestOf(Gated(), Told()), by_model(small="s", medium=None, large=None))[1].answer.text


def test_where_all_fail_it_says_so():
    """There is nothing to return."""
    finish = driven(BestOf(Gated(), Told()), by_model(small=None, medium=None, large=None))[1]

    assert (None, True) == (finish.answer, bool(finish.reason))


def test_only_the_best_expected_are_asked():
    """As many as it says; one alone streams, and no gate is asked."""
    assert [("large", "medium")] == asked(driven(BestOf(Gated(), Told(), size=2), SAYS)[0])
    calls, _ = driven(BestOf(Gated(), Told("large")), SAYS, pool=(LARGE,))
    assert [True] == [call.stream for call in calls]


def test_one_answer_is_no_choice():
    """It is refused as an option."""
    with pytest.raises(ValueError, match="size"):
        BestOf(Gated(), Told(), size=1)
