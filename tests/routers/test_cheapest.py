from decimal import Decimal
from random import Random

import numpy as np
import pytest

from routers.cheapest import Cheapest
from routers.checks import check_router
from routers.costs.regression import Regression
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.rules.greedy import Greedy
from routers.types import Candidate, Context, Outcomes, Price, StateError

CONTEXT = Context("", prompt_tokens=256)


def priced(model, usd):
    """Return a candidate of one price for all tokens, in USD a million."""
    return Candidate(model, Price(input=Decimal(usd), output=Decimal(usd)))


def first_call(router, pool):
    """Return the call that a plan begins with."""
    return next(router.plan(CONTEXT, pool, Random(0)))


@pytest.mark.parametrize("make", [Cheapest, lambda: Cheapest(Regression(max_rows=100))])
def test_passes_the_battery(make):
    """As every router must, whoever expects the costs."""
    check_router(make)


def test_takes_the_cheapest_for_certain():
    """An unknown cost comes last, and is not in the log."""
    call = first_call(Cheapest(), [Candidate("a"), priced("b", 2), priced("c", 1)])

    assert ("c", "cheapest") == (call.candidates[0].model, call.why)
    assert {"a": 0.0, "b": 0.0, "c": 1.0} == call.propensities
    assert {"b", "c"} == call.expected_cost_usd.keys()


def test_takes_the_first_name_of_equals():
    """Whatever their order in the pool."""
    assert "a" == first_call(Cheapest(), [priced("b", 1), priced("a", 1)]).candidates[0].model


def test_says_so_where_no_cost_is_known():
    """Then the first name is taken."""
    call = first_call(Cheapest(), [Candidate("b"), Candidate("a")])

    assert ("a", "cheapest cost=unknown") == (call.candidates[0].model, call.why)


def test_goes_by_what_was_learned():
    """A model that writes at length costs more in spite of its price."""
    router = Cheapest()
    gap = np.full((1, 2), np.nan, np.float32)
    tokens = np.array([[10_000, 10]], np.float32)
    router.learn(Outcomes(("wordy", "terse"), np.zeros((1, 2), np.float32), gap, gap, tokens))

    assert "terse" == first_call(router, [priced("wordy", 1), priced("terse", 2)]).candidates[0].model


def test_refuses_an_empty_pool():
    """There is nothing to plan."""
    with pytest.raises(ValueError, match="no candidate"):
        first_call(Cheapest(), [])


def test_refuses_state_of_another(tmp_path):
    """The message says whose it is."""
    EstimatingRouter(Constant(), Greedy()).save(tmp_path)

    with pytest.raises(StateError, match=r"'estimating\(constant\)', not 'cheapest\(mean\)'"):
        Cheapest().load(tmp_path)
