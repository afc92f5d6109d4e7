import numpy as np
import pytest

from routers.cascades.simulate import error_of, noisy, verdicts

REWARDS = (np.random.default_rng(0).random((5000, 2)) < 0.7).astype(float)


@pytest.mark.parametrize("error", [0.0, 0.1, 0.25, 0.5])
def test_verdicts_err_as_often_as_they_should(error):
    """The error is both made and measured."""
    said = verdicts(REWARDS, error, np.random.default_rng(1))

    assert pytest.approx(error, abs=0.02) == (said != REWARDS).mean()
    assert pytest.approx(error, abs=0.02) == error_of(said, REWARDS)


def test_noise_makes_a_gate_worse():
    """The louder, the more errors."""
    errors = [error_of(noisy(REWARDS, deviation, np.random.default_rng(1)), REWARDS) for deviation in (0.1, 0.5, 2.0)]

    assert sorted(errors) == errors
    assert errors[0] < 0.01
    assert 0.3 < errors[2] < 0.5


def test_a_gate_that_lets_everything_through_errs_in_half_of_the_cases():
    """However good the answers are."""
    assert 0.5 == error_of(np.ones_like(REWARDS), REWARDS)


def test_a_gate_that_is_always_wrong_is_no_better_than_none():
    """Nobody is asked to turn it around."""
    assert 0.5 == error_of(1 - REWARDS, REWARDS)


def test_answers_of_one_kind_say_nothing_of_a_gate():
    """There is nothing to tell apart."""
    assert 0.5 == error_of(np.array([0.1, 0.9]), np.array([1.0, 1.0]))


def test_gaps_do_not_count():
    """Neither of scores nor of rewards."""
    assert 0 == error_of(np.array([0.0, 1.0, np.nan, 1.0]), np.array([0.0, 1.0, 0.0, np.nan]))


@pytest.mark.parametrize("make", [lambda rng: verdicts(REWARDS, 1.5, rng), lambda rng: noisy(REWARDS, 0.0, rng)])
def test_refuses_what_is_no_error(make):
    """A chance, and a deviation above zero."""
    with pytest.raises(ValueError, match="must be"):
        make(np.random.default_rng(0))
