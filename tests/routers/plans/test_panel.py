import pytest

from routers.plans.panel import Panel
from tests.routers.plans.driving import LARGE, Told, asked, by_model, driven

HALF = by_model(small="The answer is 42.", medium="so it is \\boxed{42}", large="I say 41")


def test_all_are_asked_at_once():
    """The best expected first, and none of them streams."""
    calls, _ = driven(Panel(Told(), size=3), HALF)

    assert [("large", "medium", "small")] == asked(calls)
    assert [False] == [call.stream for call in calls]


def test_answers_that_come_to_the_same_are_one_vote_more():
    """Of those, the answer of the best model is returned."""
    _, finish = driven(Panel(Told(), size=3, merge="vote"), HALF)

    assert "medium" == finish.answer.candidate.model


def test_a_weighted_vote_hears_the_better_one_against_two_that_guess():
    """By log odds: 0.95 weighs more than twice 0.6."""
    told = Told(rewards={"small": 0.6, "medium": 0.6, "large": 0.95})
    _, finish = driven(Panel(told, size=3, merge="weighted"), HALF)

    assert "large" == finish.answer.candidate.model


def test_who_fails_abstains():
    """The others are enough."""
    _, finish = driven(Panel(Told(), size=3), by_model(small="42", medium=None, large=None))

    assert "42" == finish.answer.text


def test_below_the_quorum_there_is_no_result():
    """With the reason."""
    _, finish = driven(Panel(Told(), size=3, quorum=2), by_model(small="42", medium=None, large=None))

    assert (None, "1 of 3 answered, and the quorum is 2") == (finish.answer, finish.reason)


def test_a_merge_is_written_by_the_best_of_the_panel_and_streams():
    """It sees all answers, quoted."""
    calls, finish = driven(Panel(Told(), size=2, merge="llm"), by_model(large="I say 41", medium="42", small=""))

    assert [("large", "medium"), ("large",)] == asked(calls)
    assert (True, "merge") == (calls[1].stream, calls[1].why)
    (turn,) = calls[1].turns
    assert "I say 41" in turn.content
    assert "42" in turn.content
    assert "I say 41" == finish.answer.text


def test_somebody_else_may_merge():
    """Who is named, if it is a candidate."""
    panel = Panel(Told(), size=2, merge="llm", merger="small")
    assert ("small",) == asked(driven(panel, HALF)[0])[1]
    assert ("large",) == asked(driven(Panel(Told(), 2, "llm", merger="gone"), HALF)[0])[1]


def test_where_all_agree_nobody_merges():
    """It would cost a call, and change nothing."""
    calls, finish = driven(Panel(Told(), size=3, merge="llm"), by_model(small="42", medium="42.0", large="is 42"))
    merged = by_model(small="The answer is 42", medium="**42**", large="result: 42")

    assert 1 == len(driven(Panel(Told(), size=3, merge="llm"), merged)[0])
    assert finish.answer is not None
    assert len(calls) <= 2


def test_a_merge_that_fails_leaves_the_vote():
    """What the panel said is not lost."""
    says = by_model(small="1", medium="2", large="3")
    _, finish = driven(Panel(Told(), 3, "llm"), lambda call, one: None if call.why == "merge" else says(call, one))

    assert "3" == finish.answer.text


def test_a_panel_of_one_streams():
    """There is nothing to merge."""
    calls, _ = driven(Panel(Told("large"), size=3), HALF, pool=(LARGE,))

    assert [True] == [call.stream for call in calls]


@pytest.mark.parametrize("quorum", [0, 4])
def test_a_quorum_that_cannot_be_is_refused(quorum):
    """It is at least one, and at most all."""
    with pytest.raises(ValueError, match="quorum"):
        Panel(Told(), size=3, quorum=quorum)
