from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from routers.evaluation.change import Change, World, worlds_of
from routers.types import Candidate, Outcomes, Price

POOL = [Candidate(name, Price(Decimal(1), Decimal(4), Decimal("0.5"))) for name in "abc"]


def table():
    """Return two requests: a earns 1 and costs 0.1, b 0.5 and 0.2, c nothing."""
    rewards = np.tile(np.array([1.0, 0.5, 0.0], np.float32), (2, 1))
    costs = np.tile(np.array([0.1, 0.2, 0.4], np.float32), (2, 1))
    return Outcomes(("a", "b", "c"), np.zeros((2, 0), np.float32), rewards, costs, costs * 1000)


def test_a_swap_gives_each_what_the_other_earned_and_cost():
    """Names and prices stay; whose answers they are does not."""
    seen = World.before(POOL, ()).after(Change("swap", ("a", "b"), 0.5)).seen(table())

    assert ("a", "b", "c") == seen.models
    assert [0.5, 1.0, 0.0] == seen.rewards[0].tolist()
    assert np.array([0.2, 0.1, 0.4], np.float32).tolist() == seen.costs_usd[0].tolist()
    assert np.array([200, 100, 400], np.float32).tolist() == seen.completion_tokens[0].tolist()


def test_a_price_changes_costs_and_what_is_told_of_them():
    """Answers are as long as before; of two changes both count."""
    world = World.before(POOL, ())
    for factor in (4.0, 0.5):
        world = world.after(Change("price", ("b",), 0.5, factor))

    assert np.array([0.1, 0.4, 0.4], np.float32).tolist() == world.seen(table()).costs_usd[0].tolist()
    assert table().completion_tokens.tolist() == world.seen(table()).completion_tokens.tolist()
    assert [POOL[0], Candidate("b", Price(Decimal(2), Decimal(8), Decimal(1))), POOL[2]] == list(world.pool())


def test_models_come_and_go():
    """One that is to be added is not there before; one that is removed is not there any more."""
    changes = [Change("remove", ("a",), 0.75), Change("add", ("c",), 0.25)]
    worlds = worlds_of(World.before(POOL, changes), changes, 8)

    assert [(0, "ab"), (2, "abc"), (6, "bc")] == [
        (start, "".join(candidate.model for candidate in world.pool())) for start, world in worlds
    ]


def test_changes_at_the_same_request_are_one():
    """Nobody is routed in between."""
    changes = [Change("price", ("a",), 0.5, 2.0), Change("swap", ("a", "b"), 0.5)]
    starts = [start for start, _ in worlds_of(World.before(POOL, changes), changes, 10)]

    assert [0, 5] == starts


def test_strangers_are_refused():
    """The message has the change as it is written."""
    with pytest.raises(ValueError, match=r"price:dx2@0.5: there is no model 'd'"):
        World.before(POOL, [Change("price", ("d",), 0.5, 2.0)])
