import pytest

from routers.plans.tiers import Tiers
from tests.routers.plans.driving import SMALL, Told, asked, by_model, driven

SAYS = by_model(small="1", medium="2", large="3")


@pytest.mark.parametrize(
    ("rewards", "models"),
    [
        ({"large": 0.9, "medium": 0.5, "small": 0.4}, ("large",)),
        ({"large": 0.9, "medium": 0.85, "small": 0.4}, ("large", "medium")),
        ({"large": 0.3, "medium": 0.1, "small": 0.0}, ("large", "medium", "small")),
        ({"large": 0.3, "medium": 0.29, "small": 0.28}, ("large", "medium", "small")),
    ],
)
def test_the_less_is_expected_and_the_closer_the_more_are_asked(rewards, models):
    """PRISM's tiers: one that is sure, two that are close, else all."""
    calls, _ = driven(Tiers(Told(rewards=rewards)), SAYS)

    assert [models] == asked(calls)
    assert (len(models) == 1) == calls[0].stream


def test_of_two_that_disagree_the_better_one_counts():
    """There is no majority to go by."""
    told = Told(rewards={"large": 0.9, "medium": 0.85, "small": 0.4})

    assert "large" == driven(Tiers(told), SAYS)[1].answer.candidate.model


def test_of_several_most_count():
    """Two that agree outweigh one of whom a little more is expected."""
    told = Told(rewards={"large": 0.34, "medium": 0.33, "small": 0.32})
    _, finish = driven(Tiers(told), by_model(large="3", medium="2", small="The answer is 2"))

    assert "medium" == finish.answer.candidate.model


def test_no_more_are_asked_than_it_may():
    """The best expected of them."""
    told = Told(rewards={"large": 0.3, "medium": 0.1, "small": 0.0})

    assert [("large", "medium")] == asked(driven(Tiers(told, widest=2), SAYS)[0])


def test_who_fails_abstains():
    """Where all do, there is no result."""
    told = Told(rewards={"large": 0.3, "medium": 0.1, "small": 0.0})

    assert "1" == driven(Tiers(told), by_model(large=None, medium=None, small="1"))[1].answer.text
    nothing = driven(Tiers(told), by_model(large=None, medium=None, small=None))[1]
    assert (None, True) == (nothing.answer, bool(nothing.reason))


def test_a_pool_of_one_streams():
    """However little is expected of it."""
    calls, _ = driven(Tiers(Told(rewards={"small": 0.0})), SAYS, pool=(SMALL,))

    assert [True] == [call.stream for call in calls]


@pytest.mark.parametrize("options", [{"confidence": 2.0}, {"margin": -0.1}, {"widest": 1}])
def test_options_that_make_no_sense_are_refused(options):
    """Each names what is wrong."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Tiers(Told(), **options)
