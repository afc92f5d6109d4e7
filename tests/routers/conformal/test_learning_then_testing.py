import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from routers.conformal.learning_then_testing import Target, certify, growing


def path(scores, wrong, settings=60, boldest=1.0):
    """Return losses of a path that trusts ever lower scores: those that are wrong and trusted are lost."""
    return ((scores <= np.linspace(0, boldest, settings)[:, None]) & wrong).astype(float)


def test_stops_at_the_first_that_fails():
    """A setting beyond one that cannot be proved is not looked at."""
    losses = np.zeros((3, 100))
    losses[1] = 1

    assert 1 == certify(losses, Target(0.1, 0.1)).proved


def test_too_few_rows_prove_nothing():
    """Without an error 44 rows are too few for a rate of 5 % with confidence 90 %, 45 are enough."""
    assert 0 == certify(np.zeros((1, 44)), Target(0.05, 0.1)).proved
    assert 1 == certify(np.zeros((1, 45)), Target(0.05, 0.1)).proved


def test_no_rows_prove_nothing():
    """An empty table has a p-value of one."""
    assert 0 == certify(np.zeros((5, 0)), Target(0.05, 0.1)).proved


def test_takes_the_cheapest_of_those_that_are_proved():
    """A cheaper one that is not proved does not count."""
    certificate = certify(np.vstack([np.zeros((2, 100)), np.ones((1, 100))]), Target(0.1, 0.1))

    assert 1 == certificate.cheapest(np.array([3.0, 2.0, 1.0]))
    assert certify(np.ones((1, 100)), Target(0.1, 0.1)).cheapest(np.array([1.0])) is None


def test_losses_between_none_and_all_are_bounded():
    """Halves of an error count as halves, with a bound that is not exact."""
    halves = np.full((1, 400), 0.02)

    assert 1 == certify(halves, Target(0.1, 0.1)).proved


@pytest.mark.parametrize("losses", [np.full((1, 5), 2.0), np.full((1, 5), -1.0), np.full((1, 5), np.nan)])
def test_refuses_losses_that_are_none(losses):
    """A loss is in [0, 1]."""
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        certify(losses, Target(0.1, 0.1))


def test_refuses_losses_that_shrink_where_there_is_a_horizon():
    """The proof for the requests to come needs a path of growing losses."""
    with pytest.raises(ValueError, match="growing"):
        certify(np.array([[1.0, 0.0], [0.0, 0.0]]), Target(0.5, 0.5, 10))


def test_refuses_parts_of_losses_where_there_is_a_horizon():
    """The proof for the requests to come counts errors."""
    with pytest.raises(ValueError, match="leave the horizon out"):
        certify(np.full((1, 5), 0.5), Target(0.5, 0.5, 10))


@pytest.mark.parametrize("numbers", [(0.0, 0.1, None), (0.1, 1.0, None), (0.1, 0.1, 0)])
def test_refuses_targets_that_are_none(numbers):
    """Shares are between 0 and 1, and a horizon is of one request at least."""
    with pytest.raises(ValueError, match="must be"):
        Target(*numbers)


@given(arrays(np.float64, (5, 8), elements=st.sampled_from([0.0, 1.0])))
def test_growing_losses_never_shrink_and_are_no_less(losses):
    """What was proved of them is true of the losses."""
    grown = growing(losses)

    assert (np.diff(grown, axis=0) >= 0).all()
    assert (grown >= losses).all()


def test_the_expected_risk_is_kept_as_often_as_promised():
    """Where the truth is known: scores below 0.3 are wrong in 10 % of the cases, those above in 40 %."""
    rng, above, trials = np.random.default_rng(0), 0, 300
    thresholds = np.linspace(0, 1, 60)
    truth = np.where(thresholds < 0.3, 0.1 * thresholds, 0.03 + 0.4 * (thresholds - 0.3))
    for _ in range(trials):
        scores = rng.random(400)
        wrong = rng.random(400) < np.where(scores < 0.3, 0.1, 0.4)
        proved = certify(path(scores, wrong), Target(0.1, 0.1)).proved
        above += bool(proved) and truth[proved - 1] > 0.1

    assert above <= 0.1 * trials + 3 * np.sqrt(0.09 * trials)


def test_the_realised_risk_is_kept_as_often_as_promised():
    """Halves of one table: the half that was not seen is counted, with its luck, and the promise is used up."""
    rng, trials = np.random.default_rng(1), 150
    scores = rng.random(600)
    wrong = rng.random(600) < scores
    losses = path(scores, wrong, 200, boldest=0.6)
    above = {None: 0, 300: 0}
    for _ in range(trials):
        rows, others = np.array_split(rng.permutation(600), 2)
        for horizon in above:
            proved = certify(losses[:, rows], Target(0.1, 0.1, horizon)).proved
            above[horizon] += bool(proved) and losses[proved - 1, others].mean() > 0.1

    assert above[300] <= 0.1 * trials + 3 * np.sqrt(0.09 * trials)
    assert above[300] > 0.02 * trials  # it promises no less than it could
    assert above[None] > above[300]  # the expected risk says nothing of the luck to come
