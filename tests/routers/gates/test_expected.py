import pytest

from routers.gates.expected import EXPECTED, Expected
from tests.routers.gates.asking import chance, checked, told


@pytest.mark.parametrize(("expected", "found"), [(0.7, 0.7), (1.5, 1.0), (-0.5, 0.0), ("much", 0.4)])
def test_what_the_router_expected_counts(expected, found):
    """Whatever the answer; nobody is asked."""
    assert ([], found) == checked(Expected(unknown=0.4), told("nonsense"), **{EXPECTED: expected})


def test_where_nothing_was_expected_it_says_what_it_is_told_to():
    """Even chances, by default."""
    assert 0.5 == chance(Expected())


def test_an_unknown_that_is_no_chance_is_refused():
    """It names what is wrong."""
    with pytest.raises(ValueError, match="unknown"):
        Expected(2.0)
