import pytest

from routers.gates.self_verification import SelfVerification
from tests.routers.gates.asking import SMALL, chance, checked, told

YES, NO = "It holds. VERDICT: YES", "It does not. VERDICT: NO"


def test_the_model_is_shown_its_own_answer():
    """As it gave it, without the client's tools, at a temperature that lets votes differ."""
    calls, _ = checked(SelfVerification(samples=2), told("41"), YES, NO)
    (call,) = calls

    assert (SMALL, SMALL) == call.candidates
    assert ("assistant", "41") == (call.turns[0].role, call.turns[0].content)
    assert (True, False, {"temperature": 0.7, "max_tokens": 200}) == (call.bare, call.stream, dict(call.parameters))


@pytest.mark.parametrize(
    ("said", "found"),
    [((YES, YES), 1.0), ((YES, NO), 0.5), ((YES, "maybe"), 1.0), ((NO, None), 0.0), (("maybe", None), 0.2)],
)
def test_the_share_of_votes_counts(said, found):
    """One that cannot be read is none; where there is none at all, it is unknown."""
    assert found == chance(SelfVerification(samples=2, unknown=0.2), told(), *said)


@pytest.mark.parametrize("options", [{"samples": 0}, {"temperature": -1.0}, {"max_tokens": 0}])
def test_options_that_make_no_sense_are_refused(options):
    """Each names what is wrong."""
    with pytest.raises(ValueError, match=next(iter(options))):
        SelfVerification(**options)
