import numpy as np
import pytest

from routers.conformal.pledge import Pledge
from routers.conformal.shortfall import PRICES, adequacies, choices, shortfalls
from tests.tables import table

NAN = np.nan


def test_who_is_worse_by_more_than_delta_falls_short():
    """Equal, a little worse, clearly worse, unknown."""
    rewards = np.array([[0.9, 0.9, 0.8, 0.5, NAN]])

    assert [[0, 0, 0, 1, 1]] == shortfalls(rewards, 0, 0.1).tolist()


def test_without_the_reference_nothing_is_known():
    """A row that lacks its reward says nothing of anybody."""
    assert np.isnan(shortfalls(np.array([[NAN, 1.0]]), 0, 0.0)).all()


def test_adequacies_keep_gaps():
    """What was not observed is learned from no more than before."""
    learned = adequacies(table([[1, 0]] * 2, [[1.0, 0.0, NAN], [0.0, 1.0, 0.0]]), "a", 0.0)

    assert [[1, 0], [1, 1]] == learned.rewards[:, :2].tolist()
    assert np.isnan(learned.rewards[0, 2])


def test_adequacies_of_a_table_without_the_reference_are_unknown():
    """Nobody can say who is as good as somebody absent."""
    assert np.isnan(adequacies(table([[1, 0]], [[1.0]]), "z", 0.0).rewards).all()


def test_the_dearer_falling_short_is_the_more_often_the_reference_answers():
    """Costs of the choices fall along the path, from always the reference on."""
    rng = np.random.default_rng(0)
    chances, costs = rng.random((50, 3)), np.tile([1.0, 2.0, 10.0], (50, 1))
    taken = choices(chances, costs, 2, 10.0)

    assert (2 == taken[0]).all()
    assert (0 == taken[-1]).any()
    assert (np.diff(costs[0][taken].sum(axis=1)) <= 0).all()
    assert (len(PRICES), 50) == taken.shape


@pytest.mark.parametrize(("chance", "cost"), [(NAN, 1.0), (1.0, NAN)])
def test_nobody_is_taken_of_whom_too_little_is_known(chance, cost):
    """The reference answers instead."""
    assert 1 == choices(np.array([[chance, 1.0]]), np.array([[cost, 10.0]]), 1, 10.0).min()


def test_a_reference_of_unknown_cost_answers():
    """There is nothing to be saved that anybody knows of."""
    assert 1 == choices(np.array([[1.0, 1.0]]), np.array([[1.0, NAN]]), 1, 10.0).min()


def test_a_stricter_pledge_is_the_next_at_which_fewer_fell_short():
    """Settings of the same risk are passed over, and in the end nobody but the reference is left."""
    pledge = Pledge(("a",), 1.0, 100, 100, 3, (0.0, 0.01, 0.02, 0.02), (0.0, 0.0, 0.0, 0.1))

    assert [1, 0, None, None] == [
        pledge.stricter().setting,
        pledge.stricter().stricter().setting,
        pledge.stricter().stricter().stricter().setting,
        Pledge().stricter().setting,
    ]


@pytest.mark.parametrize("pledge", [Pledge(), Pledge(("a", "b"), 0.1, 9, 8, 1, (0.0, 0.1), (0.0, 0.05))])
def test_pledges_come_back(pledge):
    """What is saved is arrays."""
    assert pledge == Pledge.restored(pledge.state())
