from random import Random

import pytest

from routers.drive import drive
from routers.fixed import Fixed
from routers.random_choice import RandomChoice
from routers.types import Answer, Candidate, Context, StateError
from routers.weighted import Weighted

CONTEXT = Context("", 1)
POOL = [Candidate("a"), Candidate("b"), Candidate("c")]


def propensities(router, pool=POOL):
    """Return the distribution of the first call."""
    return next(router.plan(CONTEXT, pool, Random(0))).propensities


def test_fixed_is_certain_of_its_model():
    """The others have probability zero, and are named."""
    assert {"a": 0.0, "b": 1.0, "c": 0.0} == propensities(Fixed("b"))


def test_fixed_refuses_where_its_model_is_absent():
    """Nobody is chosen in its stead without being asked."""
    calls, finish = drive(Fixed("d").plan(CONTEXT, POOL, Random(0)), Answer)

    assert ((), None, "fixed: none of ['a', 'b', 'c'] may be chosen") == (calls, finish.answer, finish.reason)


def test_random_is_even():
    """Three candidates, a third each."""
    assert pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}) == propensities(RandomChoice())


def test_weighted_splits_in_proportion():
    """Three to one, and nothing for what has no weight."""
    assert {"a": 0.75, "b": 0.25, "c": 0.0} == propensities(Weighted({"a": 3, "b": 1}))


def test_weighted_is_even_where_nobody_has_a_weight():
    """All that had one are resting."""
    assert {"b": 0.5, "c": 0.5} == propensities(Weighted({"a": 3}), POOL[1:])


@pytest.mark.parametrize("weight", [-1, float("inf"), float("nan")])
def test_weighted_refuses_impossible_weights(weight):
    """The message names the model."""
    with pytest.raises(ValueError, match="'a'"):
        Weighted({"a": weight})


def test_state_of_another_router_is_refused(tmp_path):
    """The message names both."""
    Fixed("a").save(tmp_path)

    with pytest.raises(StateError, match="written by 'fixed', not 'random'"):
        RandomChoice().load(tmp_path)
