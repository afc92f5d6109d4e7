from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.stay import stay
from routers.types import Candidate, Context, Estimate, Incumbent, Outcomes, Price

CONTEXT = Context("", prompt_tokens=1000)


def priced(model, usd):
    """Return a candidate of one price for all tokens, in USD a million."""
    return Candidate(model, Price(input=Decimal(usd), output=Decimal(usd)))


POOL = [priced("small", 1), priced("large", 10)]


def knowing(rule=None, w=0.5, **rewards):
    """Return a router over constant rewards, by model, whose completions have 1,000 tokens."""
    router = EstimatingRouter(Constant(), rule or Greedy(), w)
    row = np.array([list(rewards.values())], np.float32)
    gap = np.full_like(row, np.nan)
    router.learn(Outcomes(tuple(rewards), np.zeros((1, 2), np.float32), row, gap, np.full_like(row, 1000)))
    return router


def propensities(router):
    """Return what a plan draws from."""
    return next(router.plan(CONTEXT, POOL, Random(0))).propensities


def test_the_lost_cache_is_weighed_against_the_gain():
    """The small model is better and cheaper; a large one whose cache saves nearly all that it costs is kept."""
    router = knowing(small=0.4, large=0.3)
    plain, warm = (propensities(router.staying_with(Incumbent("large", usd))) for usd in (0.0, 0.0199))

    assert {"small": 1.0, "large": 0.0} == dict(plain)
    assert {"small": 0.0, "large": 1.0} == dict(warm)


def test_chance_does_not_change_the_model_of_a_session():
    """A floor gives every candidate a share; within a session it goes to the incumbent, unless another is better."""
    router = knowing(Floor(Greedy(), 0.1, total=0.2), small=0.9, large=0.9)

    assert {"small": 0.9, "large": 0.1} == pytest.approx(dict(propensities(router)))
    assert {"small": 1.0, "large": 0.0} == pytest.approx(dict(propensities(router.staying_with(Incumbent("small")))))
    assert {"small": 0.9, "large": 0.1} == pytest.approx(dict(propensities(router.staying_with(Incumbent("large")))))


def test_an_incumbent_that_is_no_candidate_changes_nothing():
    """It may have left the pool."""
    router = knowing(small=0.9, large=0.9)
    call = next(router.staying_with(Incumbent("gone", 1.0)).plan(CONTEXT, POOL, Random(0)))

    assert next(router.plan(CONTEXT, POOL, Random(0))) == call


def test_the_saving_is_logged_as_the_cost_to_expect():
    """2,000 tokens at 10 USD a million, of which the cache saves half; never below zero."""
    router = knowing(small=0.9, large=0.9)
    costs = [
        next(router.staying_with(Incumbent("large", usd)).plan(CONTEXT, POOL, Random(0))).expected_cost_usd["large"]
        for usd in (0.0, 0.01, 1.0)
    ]

    assert pytest.approx([0.02, 0.01, 0.0]) == costs


def test_a_session_is_said_in_the_reason():
    """So that the log tells."""
    call = next(knowing(small=0.9, large=0.9).staying_with(Incumbent("large")).plan(CONTEXT, POOL, Random(0)))

    assert call.why.endswith(" session")


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1)), min_size=1, max_size=8).filter(
        lambda pairs: sum(share for share, _ in pairs) > 0
    ),
    st.data(),
)
def test_only_the_better_keep_their_share(pairs, data):
    """It stays a distribution; who is worth more keeps the share, all others' is the incumbent's."""
    total = sum(share for share, _ in pairs)
    distribution = [share / total for share, _ in pairs]
    utilities = [Estimate(mean) for _, mean in pairs]
    incumbent = data.draw(st.integers(0, len(pairs) - 1))
    kept = stay(distribution, utilities, incumbent)

    assert pytest.approx(1.0) == sum(kept)
    assert min(kept) >= 0
    for i, utility in enumerate(utilities):
        if i != incumbent:
            assert (distribution[i] if utility.mean > utilities[incumbent].mean else 0.0) == kept[i]
