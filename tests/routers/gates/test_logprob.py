import math

import pytest

from routers.gates.logprob import Logprob
from tests.routers.gates.asking import chance, checked, told


def test_the_geometric_mean_of_the_probabilities_counts():
    """Nobody is asked; the answer is asked for with them."""
    assert ([], pytest.approx(0.5)) == checked(Logprob(), told(logprobs=(math.log(0.25), 0.0)))
    assert {"logprobs": True} == dict(Logprob().asks)


def test_only_the_unlikeliest_may_count():
    """A quarter of four tokens is one."""
    answer = told(logprobs=(0.0, 0.0, 0.0, math.log(0.1)))

    assert pytest.approx(0.1) == chance(Logprob(worst=0.25), answer)


@pytest.mark.parametrize("logprobs", [None, ()])
def test_where_there_are_none_it_says_what_it_is_told_to(logprobs):
    """Not every endpoint gives them."""
    assert 0.0 == chance(Logprob(), told(logprobs=logprobs))
    assert 0.3 == chance(Logprob(unknown=0.3), told(logprobs=logprobs))


@pytest.mark.parametrize("logprobs", [(float("-inf"), 0.0), (5.0,), (-1e9,)])
def test_impossible_numbers_stay_chances(logprobs):
    """Endpoints say what they like."""
    assert 0.0 <= chance(Logprob(), told(logprobs=logprobs)) <= 1.0


@pytest.mark.parametrize("options", [{"worst": 0.0}, {"unknown": 2.0}])
def test_options_that_make_no_sense_are_refused(options):
    """Each names what is wrong."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Logprob(**options)
