import numpy as np
import pytest

from routers.odds import sigmoid
from routers.platt import INTERCEPT_PRECISION, Platt

NAN = np.nan


def test_finds_the_slope_and_intercepts_that_rewards_were_made_with():
    """Expected rewards of a slope of 2 and intercepts of 1 and -1."""
    scores = np.random.default_rng(0).standard_normal((5000, 2))
    platt = Platt.fit(scores, sigmoid(2 * scores + [1, -1]))

    assert pytest.approx(2, abs=0.02) == platt.slope
    assert pytest.approx([1, -1], abs=0.02) == platt.intercepts.tolist()


def test_one_observation_is_weighed_with_one_of_a_half():
    """At a score of zero the slope stays 0, and the intercept b solves sigmoid(b) - 1 + b / 4 = 0."""
    platt = Platt.fit(np.zeros((1, 1)), np.ones((1, 1)))

    (b,) = platt.intercepts
    assert 0 == platt.slope
    assert pytest.approx(0, abs=1e-6) == sigmoid(b) - 1 + INTERCEPT_PRECISION * b


def test_a_model_without_rewards_gets_the_mean_intercept():
    """Nothing is known of the third but that it is a model."""
    rewards = np.array([[1.0, 0.25, NAN]] * 20)
    intercepts = Platt.fit(np.zeros((20, 3)), rewards).intercepts

    assert pytest.approx((intercepts[0] + intercepts[1]) / 2) == intercepts[2]


def test_scores_that_mislead_count_for_nothing():
    """The slope is never negative."""
    scores = np.tile([[1.0], [-1.0]], (50, 1))

    assert 0 == Platt.fit(scores, np.tile([[0.0], [1.0]], (50, 1))).slope


def test_a_given_slope_is_kept():
    """Intercepts alone are found: rewards of a half at a score of 1 have the intercept -3."""
    platt = Platt.fit(np.ones((10_000, 1)), np.full((10_000, 1), 0.5), slope=3.0)

    assert 3 == platt.slope
    assert pytest.approx(-3, abs=0.01) == platt.intercepts[0]


def test_without_rewards_a_score_is_a_logit():
    """There is nothing to scale to."""
    assert [0.25, -1.0] == Platt.fit(np.zeros((2, 2)), np.full((2, 2), NAN)).logits(np.array([0.25, -1.0])).tolist()


def test_scores_that_separate_rewards_stay_finite():
    """Certainty is not to be had of forty observations, however far the scores are apart."""
    scores = np.tile([[100.0], [-100.0]], (20, 1))
    platt = Platt.fit(scores, (scores > 0).astype(float))

    assert np.isfinite(platt.logits(scores)).all()
    assert 0 < platt.slope < 10
