import math
from random import Random

import numpy as np
import pytest

from routers.evaluation import Mean, MissingOutcome, evaluate
from routers.fixed import Fixed
from routers.random_choice import RandomChoice
from routers.types import Call, Candidate, Finish, Outcomes

A, B = Candidate("a"), Candidate("b")


def table(rewards=((1.0, 0.0), (0.5, 0.5)), costs=((2.0, 1.0), (2.0, 1.0)), models=("a", "b")):
    """Two requests, two models: a is better, b cheaper."""
    rewards, costs = (np.array(column, np.float32) for column in (rewards, costs))
    embeddings = np.zeros((len(rewards), 2), np.float32)
    return Outcomes(models, embeddings, rewards, costs, np.full_like(costs, np.nan))


def report(router, outcomes=None, candidates=(A, B)):
    """Evaluate on the table."""
    outcomes = outcomes or table()
    return evaluate(router, outcomes, [10] * len(outcomes.rewards), candidates, Random(0))


class Cascade:
    """Ask everybody in turn, and return the last answer."""

    def plan(self, context, candidates, rng):
        """Make one call a candidate."""
        del context, rng
        for candidate in candidates:
            (answer,) = yield Call((candidate,), {candidate.model: 1.0}, "cascade")
        return Finish(answer)


class Stranger:
    """Call somebody outside the pool."""

    def plan(self, context, candidates, rng):
        """Make one call to nobody."""
        del context, candidates, rng
        (answer,) = yield Call((Candidate("c"),), {"c": 1.0}, "stranger")
        return Finish(answer)


def test_router_earns_what_the_table_says():
    """Always a: rewards 1 and 0.5 at 2 USD each."""
    score = report(Fixed("a")).router

    assert (Mean(0.75, 0.25), Mean(2.0, 0.0)) == (score.reward, score.cost_usd)


def test_references_are_reported_beside_it():
    """Each single model, the best of both for each request (the cheaper of equals), and an even choice."""
    result = report(RandomChoice())

    assert {"a": 0.75, "b": 0.25} == {model: score.reward.value for model, score in result.singles.items()}
    assert (0.75, 1.5) == (result.oracle.reward.value, result.oracle.cost_usd.value)
    assert (0.5, 1.5) == (result.random.reward.value, result.random.cost_usd.value)
    assert 2 == result.n


def test_every_call_is_charged():
    """A cascade pays for the answers that it throws away."""
    score = report(Cascade()).router

    assert (0.25, 3.0) == (score.reward.value, score.cost_usd.value)


def test_refusal_earns_and_costs_nothing():
    """A router whose model is absent."""
    score = report(Fixed("c")).router

    assert (0.0, 0.0) == (score.reward.value, score.cost_usd.value)


def test_standard_error_of_one_request_is_unknown():
    """One row says nothing of the spread."""
    assert math.isnan(report(Fixed("a"), table([[1.0, 0.0]], [[2.0, 1.0]])).router.reward.error)


def test_unknown_cost_is_not_zero():
    """A score that would need a missing cost has none; the others keep theirs."""
    result = report(Fixed("b"), table(costs=[[math.nan, 1.0], [2.0, 1.0]]))

    assert result.singles["a"].cost_usd is None
    assert result.random.cost_usd is None
    assert 1.0 == result.router.cost_usd.value


@pytest.mark.parametrize(
    ("router", "outcomes", "candidates", "message"),
    [
        (RandomChoice(), None, (A, Candidate("c")), r"no column for \['c'\]"),
        (Stranger(), None, (A, B), "called 'c', which is not among"),
        (RandomChoice(), table(rewards=[[1.0, 0.0], [1.0, math.nan]]), (A, B), "no reward of 'b' for row 1"),
    ],
)
def test_refuses_what_the_table_lacks(router, outcomes, candidates, message):
    """Nothing is made up for a missing outcome."""
    with pytest.raises(MissingOutcome, match=message):
        report(router, outcomes, candidates)


def test_refuses_an_empty_table():
    """There is no mean of nothing."""
    with pytest.raises(ValueError, match="no requests"):
        report(RandomChoice(), table(np.zeros((0, 2)), np.zeros((0, 2))))
