import numpy as np
import pytest

from routers.estimators.constant import Constant, averages
from routers.tally import Tally
from routers.types import Candidate, Context, Outcomes


def learned(rewards, models):
    """Return the estimator after one table of rewards."""
    rewards = np.array(rewards, np.float32)
    gap = np.full_like(rewards, np.nan)
    constant = Constant()
    constant.learn(Outcomes(tuple(models), np.zeros((len(rewards), 2), np.float32), rewards, gap, gap))
    return constant


def test_estimates_the_mean_of_what_was_observed():
    """A gap is left out of the mean."""
    constant = learned([[1.0, 0.25], [0.0, np.nan]], "ab")

    estimates = constant.predict([Context("", 1)], [Candidate("a"), Candidate("b")])

    assert [[0.5, 0.25]] == estimates.mean.tolist()


def test_standard_error_is_that_of_the_mean():
    """Rewards 1 and 0 and one imagined observation of variance 0.25: variance 0.25, by two."""
    estimates = learned([[1.0], [0.0]], "a").predict([Context("", 1)], [Candidate("a")])

    assert pytest.approx(0.125**0.5) == float(estimates.std[0, 0])


def test_column_of_gaps_is_unknown():
    """A model in the table without one outcome gets the prior."""
    estimates = learned([[np.nan]], "a").predict([Context("", 1)], [Candidate("a")])

    assert (0.5, 0.5) == (float(estimates.mean[0, 0]), float(estimates.std[0, 0]))


def test_average_of_nothing_is_the_prior():
    """Nothing is known of a model without outcomes."""
    assert [[0.5], [0.5]] == averages(Tally.of(("a",), np.array([[np.nan]]))).tolist()
