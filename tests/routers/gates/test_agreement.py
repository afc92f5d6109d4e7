import pytest

from routers.gates.agreement import Agreement
from tests.routers.gates.asking import SMALL, chance, checked, told


def test_the_same_model_is_asked_again():
    """With the same request, at a temperature that lets it differ."""
    calls, _ = checked(Agreement(samples=3), told(), "42", "42", "42")

    assert [(SMALL,) * 3] == [call.candidates for call in calls]
    assert ({"temperature": 0.7}, (), False) == (dict(calls[0].parameters), calls[0].turns, calls[0].stream)


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (("42", "The answer is 42."), 1.0),
        (("42", "41"), 2 / 3),
        (("41", "41"), 1 / 3),
        (("41", None), 1 / 3),
        ((None, None), 1 / 3),
    ],
)
def test_the_share_that_comes_to_the_same_counts(said, share):
    """The answer at hand is one of them; what fails agrees with nobody."""
    assert pytest.approx(share) == chance(Agreement(), told("42"), *said)


def test_an_answer_that_is_none_agrees_with_nothing():
    """A refusal does not come to anything."""
    assert 0.0 == chance(Agreement(), told("", refusal=True), "42", "42")


def test_agreement_is_not_correctness():
    """Wrong three times over, it has every chance: a limit of all that samples can tell (ACAR)."""
    assert 1.0 == chance(Agreement(), told("41"), "41", "41")


@pytest.mark.parametrize("options", [{"samples": 0}, {"temperature": 0.0}])
def test_options_that_make_no_sense_are_refused(options):
    """Equal samples would tell nothing."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Agreement(**options)
