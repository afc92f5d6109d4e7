"""Streams of two kinds of requests, of which a is right on one and b on the other."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from routers.cluster_bandit import ClusterBanditRouter
from routers.estimating import EstimatingRouter
from routers.estimators.knn import KNN
from routers.evaluation.bandit import Net, Telling, choices, one_pass, play, rate_of
from routers.evaluation.change import Change, World
from routers.evaluation.pupil import Refitted, Summed
from routers.evaluation.stream import Stream
from routers.fixed import Fixed
from routers.rules.epsilon import Epsilon
from routers.sums import Sums
from routers.types import Candidate, Outcomes

A, B = Candidate("a"), Candidate("b")


def table(n=40):
    """Return requests of two kinds in turn; b costs three times as much."""
    side = np.arange(n) % 2
    rewards = np.stack([1 - side, side], axis=1).astype(np.float32)
    costs = np.tile(np.array([1.0, 3.0], np.float32), (n, 1))
    return Outcomes(("a", "b"), np.eye(2, dtype=np.float32)[side], rewards, costs, np.full_like(costs, np.nan))


def stream(*changes, n=40):
    return Stream.of(table(n), World.before([A, B], changes), changes)


class Diary:
    """A pupil that always says the same, and writes down what it is told and when."""

    def __init__(self, model):
        self.router = Fixed(model)
        self.told = []

    def tell(self, told, now):
        """Write it down."""
        self.told += [(int(now), int(at), reward) for at, reward in zip(told.times, told.rewards, strict=True)]


def listened(telling, n=10):
    """Return what a pupil that takes a was told."""
    diary = Diary("a")
    play(diary, stream(n=n), 0.0, telling, Random(0))
    return diary.told


def test_the_rate_makes_the_best_models_mean_cost_worth_what_is_said():
    """A tie in rewards goes to the first."""
    assert (0.15, 0.3) == (rate_of(table(), [A, B]), rate_of(table(), [A, B], 0.3))


def test_only_the_chosen_models_outcomes_are_told():
    """A router that always takes a is told of a, each time after the request."""
    assert [(i, i, float(i % 2 == 0)) for i in range(10)] == listened(Telling())


def test_batches_are_told_at_once_and_the_rest_at_the_end():
    """Three, three, three, and one."""
    assert [2, 2, 2, 5, 5, 5, 8, 8, 8, 9] == [now for now, _, _ in listened(Telling(batch=3, eager=0))]


def test_what_comes_late_is_told_late_and_as_of_its_own_time():
    """With a delay of four the last four are never told."""
    assert [(i + 4, i) for i in range(6)] == [(now, at) for now, at, _ in listened(Telling(delay=4))]


def test_what_is_missing_has_no_reward():
    """Of ten requests three are told without one."""
    told = listened(Telling(missing=0.3))

    assert (10, 3) == (len(told), int(np.isnan([reward for _, _, reward in told]).sum()))


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"eager": -1}, {"delay": -1}, {"missing": 1.0}])
def test_what_cannot_be_told_is_refused(wrong):
    """The message has all that was asked."""
    with pytest.raises(ValueError, match="must have a batch"):
        Telling(**wrong)


def test_a_pass_is_held_against_the_best_fixed_model():
    """Always taking a earns what a does: nothing beyond it, and no regret."""
    passed = play(Diary("a"), stream(), 0.1, Telling(), Random(0))

    assert (0, 0.0) == (passed.best, passed.beyond_best)
    assert [0.0] * 40 == passed.regret.tolist()
    assert pytest.approx(0.5 - 0.1) == passed.net.mean()


def test_the_best_fixed_model_is_one_that_is_always_there():
    """Alone a would be better, but it leaves."""
    away = Change("remove", ("a",), 0.5)
    passed = play(Diary("b"), stream(away), 0.1, Telling(), Random(0))

    assert 1 == passed.best


def test_a_router_that_learns_beats_every_fixed_model():
    """Both kinds are told apart, by sums as by fits."""
    online = ClusterBanditRouter(clusters=16, floor=0)
    online.utility = Net(0.0)
    refitted = Refitted(lambda: EstimatingRouter(KNN(1), Epsilon(0.1), utility=Net(0.0)), ("a", "b"))

    assert one_pass(online, table(400), [A, B], 0.0, seed=0)[0].beyond_best > 0.3
    assert play(refitted, stream(n=400), 0.0, Telling(), Random(0)).beyond_best > 0.3


def test_a_pass_is_repeatable_and_its_sums_are_those_of_what_was_told():
    """The same seed gives the same; absorbed by another router, the sums make it choose alike."""
    (first, total), (second, again) = (
        one_pass(ClusterBanditRouter(clusters=16), table(), [A, B], 0.1, seed=3) for _ in range(2)
    )
    other = ClusterBanditRouter(clusters=16)
    other.absorb(total, 40.0)

    assert first.net.tolist() == second.net.tolist()
    assert total == again != Sums()
    assert [0, 1] == choices(other, table(2).contexts(), [A, B], "ab").tolist()


def test_who_learned_nothing_of_a_swap_is_told_apart():
    """Once a and b have swapped, what was right for each kind is wrong."""
    swap = Change("swap", ("a", "b"), 0.5)
    online = ClusterBanditRouter(clusters=16, floor=0)
    online.utility = Net(0.0)
    passed = play(Summed(online), stream(swap, n=400), 0.0, Telling(), Random(0))

    assert np.isnan(passed.unaware[:200]).all()
    assert passed.expected[150:200].mean() > 0.9
    assert passed.unaware[200:].mean() < 0.1


def test_only_what_learns_by_sums_is_summed():
    """The message names the class."""
    with pytest.raises(TypeError, match="Fixed does not learn by sums"):
        one_pass(Fixed("a"), table(), [A, B], 0.1, seed=0)
