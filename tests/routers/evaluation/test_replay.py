from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from routers.estimating import EstimatingRouter
from routers.estimators.knn import KNN
from routers.evaluation.dial import dial
from routers.evaluation.replay import MissingOutcome, average, replay, sweep
from routers.fixed import Fixed
from routers.random_choice import RandomChoice
from routers.rules.greedy import Greedy
from routers.types import Call, Candidate, Finish, Outcomes

A, B = Candidate("a"), Candidate("b")


def table(n=4):
    """Return requests of two kinds in turn: each model is right on one kind, and b costs three times as much."""
    side = np.arange(n) % 2
    rewards = np.stack([1 - side, side], axis=1).astype(np.float32)
    costs = np.tile(np.array([1.0, 3.0], np.float32), (n, 1))
    return Outcomes(("a", "b"), np.eye(2, dtype=np.float32)[side], rewards, costs, np.full_like(costs, np.nan))


class Twice:
    """Ask everybody, and return the first answer."""

    requires = frozenset()

    def plan(self, context, candidates, rng):
        """Make one call to all."""
        del context, rng
        answers = yield Call(tuple(candidates), {c.model: 1 / len(candidates) for c in candidates}, "panel")
        return Finish(answers[0])


class Escalating:
    """Draw one of two; ask the dear one after the cheap one."""

    requires = frozenset()

    def plan(self, context, candidates, rng):
        """Make one call or two."""
        del context
        (answer,) = yield Call((rng.choice(candidates),), {"a": 0.5, "b": 0.5}, "first")
        if answer.candidate == A:
            (answer,) = yield Call((B,), {"b": 1.0}, "second")
        return Finish(answer)


class Elsewhere:
    """Draw from more than the pool."""

    requires = frozenset()

    def plan(self, context, candidates, rng):
        """Make one call, which might have been one of another model."""
        del context, rng
        (answer,) = yield Call((candidates[0],), {candidates[0].model: 0.5, "z": 0.5}, "elsewhere")
        return Finish(answer)


def test_every_call_is_charged_also_what_is_thrown_away():
    """A panel of both costs what both cost, and earns what the first is worth."""
    found = replay(Twice(), table().contexts(), table(), (A, B), Random(0))

    assert [4.0] * 4 == found.cost_usd.tolist()
    assert [1.0, 0.0, 1.0, 0.0] == found.quality.tolist()
    assert [1.0, 0.0] == found.shares.tolist()


def test_a_refusal_earns_and_costs_nothing_and_is_served_by_nobody():
    """A router whose model is not in the pool."""
    found = replay(Fixed("z"), table().contexts(), table(), (A, B), Random(0))

    assert (0.0, 0.0, 0.0) == (found.quality.sum(), found.cost_usd.sum(), found.shares.sum())


def test_a_router_without_a_dial_is_one_point():
    """And what it does not leave to chance is known."""
    found = sweep(Fixed("b"), table().contexts(), table(), (A, B), dial(), 0)

    assert ((None,), (1, 4), False) == (found.quality_weights, found.quality.shape, found.drawn)
    assert [[0.0, 1.0]] == found.shares.tolist()


def test_one_call_is_credited_with_its_expectation():
    """An even choice earns half and costs the mean, whatever was drawn, so that no seed matters."""
    found = sweep(RandomChoice(), table().contexts(), table(), (A, B), dial(), 0)

    assert not found.drawn
    assert [0.5] * 4 == found.quality[0].tolist()
    assert [2.0] * 4 == found.cost_usd[0].tolist()
    assert [[0.5, 0.5]] == found.shares.tolist()


def test_what_an_unlikely_model_would_have_cost_counts_only_if_it_is_possible():
    """An unknown cost is harmless where the probability is zero."""
    holed = table()
    holed.costs_usd[:, 0] = math.nan

    assert [3.0] * 4 == replay(Fixed("b"), holed.contexts(), holed, (A, B), Random(0)).cost_usd.tolist()
    assert np.isnan(replay(RandomChoice(), holed.contexts(), holed, (A, B), Random(0)).cost_usd).all()


def test_the_luck_of_several_calls_is_noticed_and_repeatable():
    """The same seed draws the same models, another draws others."""
    arguments = (Escalating(), table(40).contexts(), table(40), (A, B), dial())
    first, again, other = sweep(*arguments, 0), sweep(*arguments, 0), sweep(*arguments, 1)

    assert first.drawn
    assert first.cost_usd.tolist() == again.cost_usd.tolist()
    assert first.cost_usd.tolist() != other.cost_usd.tolist()
    mean = average([first, other])
    assert ((first.cost_usd + other.cost_usd) / 2).tolist() == mean.cost_usd.tolist()


def test_a_dial_is_swept_from_the_cheapest_to_the_best():
    """Specialists are found at the quality end, and the cheapest model is taken at the other."""
    router = EstimatingRouter(KNN(neighbours=5, shrinkage=0), Greedy())
    router.learn(table(20))
    found = sweep(router, table().contexts(), table(), (A, B), (0.0, 0.5, 1.0), 0)

    assert (0.0, 0.5, 1.0) == found.quality_weights
    assert [0.5, 1.0] == found.points[1][[0, 2]].tolist()
    assert [1.0, 2.0] == found.points[0][[0, 2]].tolist()
    assert [[1.0, 0.0], [0.5, 0.5]] == found.shares[[0, 2]].tolist()


def test_some_rows_of_a_sweep():
    """The settings stay."""
    found = sweep(Fixed("a"), table().contexts(), table(), (A, B), dial(), 0).take(np.array([0, 2]))

    assert [[1.0, 1.0]] == found.quality.tolist()


@pytest.mark.parametrize("gap", [(0, 1), (3, 0)])
def test_a_gap_in_the_table_is_never_filled(gap):
    """Not even where the router would not have called that model."""
    holed = table()
    holed.rewards[gap] = math.nan

    with pytest.raises(MissingOutcome, match=f"row {gap[0]}"):
        replay(Fixed("a"), holed.contexts(), holed, (A, B), Random(0))


def test_what_might_have_been_called_has_to_be_in_the_table_too():
    """The expectation needs its outcome."""
    with pytest.raises(MissingOutcome, match="'z', which is not among"):
        replay(Elsewhere(), table().contexts(), table(), (A, B), Random(0))
