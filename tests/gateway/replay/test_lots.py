import numpy as np
import pytest

from gateway.replay.lots import lots_of
from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.logged import Logged, quantity, sample


def drawn(n, chances, judged, seed=0):
    """Return who answered of two models, and the logged probability of those that were judged, NaN for others.

    `chances` are the lots' by turns; of what was drawn, the shares `judged` were judged, by model.
    """
    rng = np.random.default_rng(seed)
    actions, lots = rng.integers(2, size=n), np.resize(chances, n)
    seen = (rng.random(n) < lots) & (rng.random(n) < np.array(judged)[actions])
    return actions, np.where(seen, lots, np.nan)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("judged", [(0.9, 0.3), (0.5, 0.5), (1.0, 0.6)])
def test_chances_are_those_of_being_judged_and_not_of_a_lot_alone(judged, seed):
    """What was not judged is told by what is missing, for each model, whatever the lots are."""
    actions, sampled = drawn(6000, (0.1, 0.5), judged, seed)
    found = lots_of(sampled, actions, 2)

    assert list(judged) == pytest.approx(found.shares.tolist(), abs=0.15)
    np.testing.assert_allclose(found.chances, sampled * found.shares[actions])


@pytest.mark.parametrize("seed", range(5))
def test_lots_are_taken_at_their_word_where_all_that_was_drawn_was_judged(seed):
    """A few rows more or less are luck; so is a model of five answers of which none was drawn."""
    actions, sampled = drawn(300, (0.3,), (1.0, 1.0), seed)
    actions, sampled = np.append(actions, [2] * 5), np.append(sampled, [np.nan] * 5)
    found = lots_of(sampled, actions, 3)

    assert found.shares is None
    np.testing.assert_array_equal(sampled, found.chances)


def test_nothing_judged_is_nothing_to_tell():
    """No rating, no lot."""
    assert lots_of(np.full(5, np.nan), np.zeros(5, np.intp), 1).shares is None


@pytest.mark.parametrize("judged", [(0.9, 0.3), (0.5, 0.5)])
def test_a_mean_of_what_judges_said_is_that_of_all_answers(judged):
    """Also where most of what was drawn was not judged, and of one model more than of the other."""
    actions, sampled = drawn(6000, (0.3,), judged)
    rewards = np.where(np.isnan(sampled), np.nan, np.where(actions == 0, 0.4, 0.8))
    even = np.full((6000, 2), 0.5)
    zeros = np.zeros((6000, 4), np.float32)
    log = Logged(even, actions, zeros, np.ones(6000), np.ones(6000), np.arange(6000))
    found = quantity(log, rewards, known=lots_of(sampled, actions, 2).chances)

    assert 0.6 == pytest.approx(ips(sample(log, found, even)).value, abs=0.02)
