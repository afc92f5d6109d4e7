import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.bradley_terry import battles_of, beaten, rate
from routers.odds import sigmoid

NAN = np.nan


def test_ratings_give_the_shares_won():
    """Three wins of four are a difference of log 3."""
    ratings, _ = rate(np.array([[0.0, 300.0], [100.0, 0.0]]), np.zeros(2), prior=1e-3)

    assert pytest.approx(np.log(3), abs=1e-3) == ratings[0] - ratings[1]


def test_covariance_of_the_difference_is_that_of_a_proportion():
    """With n battles of probability p the logit has the variance 1 / (n p (1 - p))."""
    _, covariance = rate(np.array([[0.0, 300.0], [100.0, 0.0]]), np.zeros(2), prior=1e-6)

    apart = np.array([1.0, -1.0])
    assert pytest.approx(1 / (400 * 0.75 * 0.25), rel=1e-3) == apart @ covariance @ apart


def test_without_battles_ratings_are_those_drawn_to():
    """The prior alone remains, with a variance of 4 for each battle that it counts as."""
    ratings, covariance = rate(np.zeros((2, 2)), np.array([0.5, -1.0]), prior=2.0)

    assert [0.5, -1.0] == ratings.tolist()
    assert [[2.0, 0.0], [0.0, 2.0]] == covariance.tolist()


@given(
    st.lists(st.floats(0, 50), min_size=9, max_size=9),
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.floats(0.1, 20),
)
def test_the_likelihood_is_at_its_highest(wins, towards, prior):
    """Wins and pull balance: the gradient is zero."""
    wins, towards = np.array(wins).reshape(3, 3) * (1 - np.eye(3)), np.array(towards)
    ratings, _ = rate(wins, towards, prior)

    expected = (wins + wins.T) * sigmoid(ratings[:, None] - ratings)
    assert pytest.approx([0, 0, 0], abs=0.02) == wins.sum(axis=1) - expected.sum(axis=1) - prior / 4 * (
        ratings - towards
    )


def test_counts_wins_and_half_wins_by_weight():
    """Two models a row: each battle weighs what its row weighs."""
    counted = beaten(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1.0, 0.5]))

    assert [[0.0, 1.25], [0.25, 0.0]] == counted.tolist()


def test_battles_of_a_row_count_as_often_as_its_observations():
    """Three models fight three battles; together they weigh 3 / 2."""
    assert 1.5 == beaten(np.array([[1.0, 0.5, 0.0]]), np.ones(1)).sum()


def test_what_was_not_observed_does_not_fight():
    """A gap is no loss, and no tie with another gap."""
    assert [[0, 0, 1], [0, 0, 0], [0, 0, 0]] == beaten(
        np.array([[1.0, NAN, 0.0], [NAN, NAN, 1.0]]), np.ones(2)
    ).tolist()


def test_share_of_battles_that_were_decided():
    """Of two rows one is a tie; over 2,500 rows in pieces, the same."""
    rows = np.array([[1.0, 0.0], [1.0, 1.0]])

    for times in (1, 1250):
        wins, decided = battles_of(np.tile(rows, (times, 1)))
        assert 0.5 == decided
        assert [[0, 1.5 * times], [0.5 * times, 0]] == wins.tolist()
