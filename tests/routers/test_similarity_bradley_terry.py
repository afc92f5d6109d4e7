import numpy as np
import pytest

from routers.estimators.similarity_bradley_terry import SimilarityBradleyTerry, _calibration
from tests.tables import EAST, NAN, NORTH, learned, mean, specialists, table, towards


def make(**options):
    """Return a small estimator that learns fast."""
    return SimilarityBradleyTerry(**({"neighbours": 50} | options))


@pytest.mark.parametrize("wrong", [{"neighbours": 0}, {"max_rows": 0}, {"base": 0.5}, {"prior": 0.0}])
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        SimilarityBradleyTerry(**wrong)


def test_near_battles_outweigh_far_ones():
    """With a greater base the nearest rows decide: a wins in the east, and loses half-way."""
    rows = table([EAST, [0.6, 0.8]] * 50, [[1.0, 0.0], [0.0, 1.0]] * 50)
    ratings = [_scores(make(base=base, prior=1.0, neighbours=100), rows, EAST) for base in (1.0, 1000.0)]

    assert pytest.approx(0, abs=0.05) == ratings[0]
    assert ratings[1] > 2


def _scores(estimator, rows, direction):
    """Return by how much a is rated above b."""
    estimator.learn(rows)
    near = estimator._near(estimator._learned.rows, np.array(direction, np.float32))
    scores, _ = estimator._rated(estimator._learned.ratings, near)
    return scores[0] - scores[1]


def test_rating_is_that_of_weighted_battles():
    """Base 10 at cosines 1 and 0.6: a win of weight 1 and a loss of 10 ** -0.4, so log(10 ** 0.4)."""
    rows = table([EAST, [0.6, 0.8]] * 400, [[1.0, 0.0], [0.0, 1.0]] * 400)

    assert pytest.approx(0.4 * np.log(10), abs=0.02) == _scores(make(neighbours=800, prior=1.0), rows, EAST)


def test_prior_draws_to_the_ratings_over_all_rows():
    """One near row against an overwhelming prior leaves the ratings of all."""
    rows = table([EAST] + [NORTH] * 60, [[1.0, 0.0]] + [[0.0, 1.0], [1.0, 0.0]] * 30)

    assert pytest.approx(0, abs=0.1) == _scores(make(neighbours=1, prior=1000.0), rows, EAST)


def test_rewards_are_compared_with_ratings_on_many_rows():
    """A thousand rows evenly, though every model was observed on all; and all rows of a rare one."""
    rewards = np.ones((3000, 3), np.float32)
    rewards[:, 2] = NAN
    rewards[1001:1004, 2] = 1
    chosen = _calibration(rewards, np.ones(3000, np.bool_))

    assert 1000 <= len(chosen) <= 2000
    assert {1001, 1002, 1003} <= set(chosen.tolist())


def test_far_side_is_no_evidence():
    """A request opposite to all rows gets the mean."""
    estimator = learned(make(), specialists())

    assert pytest.approx(0.5) == mean(estimator, towards([-1.0, -1.0]))
