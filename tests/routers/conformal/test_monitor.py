import numpy as np
import pytest

from routers.conformal.monitor import Monitor


def alarmed(rate, n, seed, alpha=0.1):
    """Tell whether errors at that rate raise an alarm within n requests, looked at every ten."""
    rng, watched = np.random.default_rng(seed), Monitor(alpha, 0.1)
    for _ in range(n // 10):
        watched = watched.observing((rng.random(10) < rate).astype(float).tolist())
        if watched.alarm:
            return True
    return False


def test_a_promise_that_is_kept_is_left_alone():
    """At the promised rate itself, an alarm ever comes with a chance of a tenth at most."""
    assert sum(alarmed(0.1, 400, seed) for seed in range(30)) <= 0.1 * 30 + 3 * np.sqrt(0.09 * 30)


def test_a_rate_of_twice_the_promised_is_noticed():
    """Within some hundred requests, nearly always."""
    assert sum(alarmed(0.2, 600, seed) for seed in range(30)) >= 27


def test_the_bound_is_below_the_rate_and_comes_near():
    """A lower bound, of a coin that falls on its head in 3 of 10 cases."""
    losses = (np.random.default_rng(0).random(3000) < 0.3).astype(float)
    bound = Monitor(0.05, 0.05).observing(losses.tolist()).bound

    assert 0.24 < bound < 0.3


def test_nothing_seen_bounds_nothing():
    """Without a request the rate may be anything."""
    assert 0 == Monitor(0.05, 0.05).bound


def test_batches_make_no_difference():
    """One by one leads where all at once does."""
    losses = [0.0, 1.0, 0.0, 0.5]
    singly = Monitor(0.05, 0.05)
    for loss in losses:
        singly = singly.observing([loss])
    at_once = Monitor(0.05, 0.05).observing(losses)

    assert np.allclose(at_once.state()["wealth"], singly.state()["wealth"])
    assert (at_once.n, at_once.errors) == (singly.n, singly.errors) == (4, 1.5)


def test_errors_that_are_likelier_to_be_seen_count_less():
    """Of the requests that went wrong twice as many are looked at: the rate is not what is seen."""
    rng, watched = np.random.default_rng(0), Monitor(0.1, 0.1, least=0.4)
    wrong = rng.random(4000) < 0.1
    chances = np.where(wrong, 0.8, 0.4)
    seen = rng.random(4000) < chances

    assert wrong[seen].mean() > 0.15
    assert not watched.observing(wrong[seen].astype(float).tolist(), chances[seen].tolist()).alarm
    assert Monitor(0.1, 0.1).observing(wrong[seen].astype(float).tolist()).alarm


def test_state_comes_back():
    """What was observed is arrays."""
    watched = Monitor(0.05, 0.05).observing([1.0] * 5)
    again = Monitor(0.05, 0.05).restored(watched.state())

    assert (5, 5.0, watched.bound) == (again.n, again.errors, again.bound)


@pytest.mark.parametrize(("loss", "chance"), [(1.5, 1.0), (0.0, 0.2), (float("nan"), 1.0)])
def test_refuses_what_is_no_loss_or_less_likely_than_said(loss, chance):
    """The bets would no longer be fair."""
    with pytest.raises(ValueError, match="loss="):
        Monitor(0.05, 0.05, least=0.5).observing([loss], [chance])


def test_refuses_what_is_no_share():
    """Rates and chances are above zero."""
    with pytest.raises(ValueError, match="alpha=0"):
        Monitor(0.0, 0.05)
