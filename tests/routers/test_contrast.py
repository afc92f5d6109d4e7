import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.contrast import Choices, Contrasts, contrast

NAN = np.nan
RNG = np.random.default_rng(0)
REWARDS = np.array([[1.0, 0.0, 0.5, 0.8], [0.2, 0.4, 0.9, NAN], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.7, 0.0]])


def models_of(row, positives=2, negatives=2):
    """For each positive of a row of rewards, its place and those of its negatives."""
    choices = Choices.of_models(np.array([row]), positives, negatives)
    pairs = zip(choices.right[0], choices.among[0], strict=True)
    return [
        (right.nonzero()[0].tolist(), (among & ~right).nonzero()[0].tolist()) for right, among in pairs if right.any()
    ]


def test_the_best_are_contrasted_with_the_worst():
    """Two positives, each against the two lowest."""
    assert [([0], [1, 2]), ([3], [1, 2])] == models_of([1.0, 0.0, 0.5, 0.8])


def test_what_is_not_bad_is_no_negative():
    """Of the lowest two, 0.8 and 0.1, one is above a half."""
    assert [([0], [2]), ([1], [2])] == models_of([1.0, 0.8, 0.1])


def test_a_reward_of_zero_is_no_positive():
    """One positive, though two were asked for."""
    assert [([2], [0, 1])] == models_of([0.0, 0.0, 0.7, 0.0])


def test_a_negative_is_below_its_positive():
    """Models that are both positives and low are contrasted with lower ones alone."""
    assert [([0], [1, 2]), ([1], [2])] == models_of([0.4, 0.2, 0.1])


def test_what_was_not_observed_is_neither():
    """Gaps are passed over."""
    assert [([1], [3])] == models_of([NAN, 1.0, NAN, 0.0])


@pytest.mark.parametrize("row", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [NAN, NAN, NAN], [1.0, NAN, NAN]])
def test_ties_leave_nothing_to_contrast(row):
    """Nobody is better than anybody."""
    assert [] == models_of(row)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 5))
def test_rows_are_contrasted_across_clusters(clusters, seed):
    """One of the same cluster, which is not the row itself, and others of other clusters."""
    clusters = np.array(clusters)
    choices = Choices.of_clusters(clusters, np.random.default_rng(seed))
    for row, (right, among) in enumerate(zip(choices.right[:, 0], choices.among[:, 0], strict=True)):
        mates, others = np.flatnonzero(right), np.flatnonzero(among & ~right)
        assert row not in mates
        assert (clusters[mates] == clusters[row]).all()
        assert (clusters[others] != clusters[row]).all()
        possible = (clusters == clusters[row]).sum() > 1 and (clusters != clusters[row]).any()
        assert (
            (1, min(3, (clusters != clusters[row]).sum())) == (len(mates), len(others)) if possible else not len(mates)
        )


def test_loss_by_hand():
    """Scores 1 and 0 for one right and one wrong: log(1 + exp(-1))."""
    loss, slope = Choices.of_models(np.array([[1.0, 0.0]]), 3, 3).loss(np.array([[1.0, 0.0]]))

    wrong = 1 / (1 + np.e)
    assert pytest.approx(np.log1p(np.exp(-1))) == loss
    assert pytest.approx([-wrong, wrong]) == slope[0].tolist()


def test_nothing_to_choose_costs_nothing():
    """Ties have no loss and no slope."""
    loss, slope = Choices.of_models(np.ones((2, 3)), 3, 3).loss(RNG.standard_normal((2, 3)))

    assert 0 == loss
    assert not slope.any()


def test_great_scores_do_not_overflow():
    """A score of a thousand wins outright."""
    loss, _ = Choices.of_models(np.array([[1.0, 0.0]]), 3, 3).loss(np.array([[-1000.0, 1000.0]]))

    assert pytest.approx(2000) == loss


@pytest.mark.parametrize("name", ["projection", "models"])
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_gradient_is_that_of_the_loss(name, weight):
    """Finite differences of every number, with and without the contrast between rows."""
    rng = np.random.default_rng(3)
    given = {"projection": rng.standard_normal((3, 5)), "models": rng.standard_normal((4, 3))}
    mates = Choices.of_clusters(np.array([0, 0, 1, 1]), rng)
    batch = Contrasts(rng.standard_normal((4, 5)), Choices.of_models(REWARDS, 2, 2), mates, 0.5, weight)
    found = contrast(given, batch)[1][name]
    for place in np.ndindex(found.shape):
        shift = np.zeros_like(found)
        shift[place] = 1e-6
        up, down = (contrast(given | {name: given[name] + sign * shift}, batch)[0] for sign in (1, -1))
        assert pytest.approx((up - down) / 2e-6, abs=1e-7) == found[place]
