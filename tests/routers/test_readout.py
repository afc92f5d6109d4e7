import numpy as np
import pytest

from routers.odds import sigmoid
from routers.readout import Readout, Seen, slope_of, stacked
from routers.tally import Tally
from routers.types import Context

NAN = np.nan
MODELS = ("a", "b")
VECTORS = np.array([[1.0], [-1.0]])


def readout(rewards, slope=1.0):
    """Return what is fitted to features of alternating sign, one number each."""
    rewards = np.array(rewards, np.float32)
    features = np.tile([[1.0], [-1.0]], (len(rewards), 1))[: len(rewards)]
    return Readout.fit(VECTORS, Seen.of_rewards(features, rewards), Tally.of(MODELS, rewards), slope)


def estimate(fitted, feature, models=MODELS):
    """Mean and standard error of each model for one feature."""
    estimates = fitted.estimates(np.array([[feature]]), np.array([True]), models)
    return estimates.mean[0].tolist(), estimates.std[0].tolist()


def test_scores_are_scaled_by_slope_and_intercept():
    """Even rewards leave intercepts of zero: the reward is the sigmoid of the score, twice over."""
    mean, _ = estimate(readout([[0.5, 0.5]] * 40, slope=2.0), 0.3)

    assert pytest.approx(sigmoid(np.array([0.6, -0.6]))) == mean


def test_standard_error_is_that_of_a_logistic_regression():
    """For rewards that the scores predict at p(1-p) = 1/4 with slope 0, by hand from two precisions."""
    _, std = estimate(readout([[0.5, 0.5]] * 40, slope=0.0), 1.0)

    # 40 rows of 1/4 each and the priors: 11 for the coefficient, 10.25 for the intercept, which do not mix.
    assert pytest.approx(0.25 * (1 / 11 + 1 / 10.25) ** 0.5) == std[0]


def test_more_rows_are_surer():
    """Four times the rows, about half the error."""
    (few,), (many,) = (estimate(readout([[1.0, 0.0], [0.0, 1.0]] * n), 0.5, ["a"])[1] for n in (50, 200))

    assert pytest.approx(2, rel=0.05) == few / many


def test_without_features_the_mean():
    """The tally's mean and standard error."""
    fitted = readout([[1.0, 0.5], [0.0, 0.5]])
    plain = fitted.estimates(np.array([[0.0]]), np.array([False]), MODELS)

    assert [0.5, 0.5] == plain.mean[0].tolist()
    assert pytest.approx(((0.5 + 0.25) / 3 / 2) ** 0.5) == plain.std[0, 0]


def test_a_model_not_seen_with_features_gets_its_mean():
    """Its rewards were of requests without embeddings: the tally alone knows of them."""
    rewards = np.array([[1.0, NAN], [0.0, NAN]], np.float32)
    tally = Tally.of(MODELS, np.array([[1.0, 0.25], [0.0, 0.25]]))
    fitted = Readout.fit(VECTORS, Seen.of_rewards(np.array([[1.0], [-1.0]]), rewards), tally, 1.0)

    assert 0.25 == estimate(fitted, 0.7)[0][1]


def test_battles_alone_are_probabilities_against_an_average_model():
    """Scores are logits, less their mean; the intercept is no source of doubt."""
    fought = np.array([[1.0], [-1.0]] * 8)
    seen = Seen(np.zeros((0, 1)), np.zeros((0, 2), np.float32), fought, np.zeros(16, np.intp), np.ones(16, np.intp))
    mean, std = estimate(Readout.fit(VECTORS + 5, seen, Tally.of(MODELS, np.ones((1, 2))), 0.0), 1.0)

    spread = sigmoid(np.float64(2)) * sigmoid(np.float64(-2))
    assert pytest.approx(sigmoid(np.array([1.0, -1.0]))) == mean
    assert pytest.approx(sigmoid(1) * sigmoid(-1) * (1 + 16 * spread) ** -0.5) == std[0]


def test_slope_is_zero_where_nothing_was_held_out():
    """Nobody knows what scores are worth."""
    assert 0 == slope_of(np.zeros((0, 1)), VECTORS, np.zeros((0, 2), np.float32))


def test_stacks_embeddings_and_says_which_there_are():
    """A missing one is zeros."""
    contexts = [Context("", 1), Context("", 1, embedding=np.array([0.5, 1], np.float32))]
    embeddings, usable = stacked(contexts, 2)

    assert [[0, 0], [0.5, 1]] == embeddings.tolist()
    assert [False, True] == usable.tolist()


def test_state_is_restored():
    """Arrays by name, and back."""
    fitted = readout([[1.0, 0.0], [0.0, 0.5], [1.0, NAN]])

    assert estimate(fitted, 0.2) == estimate(Readout.restored(fitted.state(), Tally.empty()), 0.2)
