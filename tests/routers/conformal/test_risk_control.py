import numpy as np
import pytest

from routers.conformal.risk_control import controlled


def test_counts_one_loss_that_was_not_seen():
    """With 9 rows and no loss, a tenth is expected at most."""
    assert 0 == controlled(np.zeros((1, 9)), 0.1)
    assert controlled(np.zeros((1, 8)), 0.1) is None


def test_takes_the_boldest_that_is_within():
    """One of 19 rows lost is two of 20, in the worst case."""
    losses = np.zeros((3, 19))
    losses[1, :1], losses[2, :2] = 1, 1

    assert 1 == controlled(losses, 0.1)


def test_refuses_losses_above_the_most():
    """The bound on a loss has to hold."""
    with pytest.raises(ValueError, match="above most"):
        controlled(np.full((1, 3), 2.0), 0.1)


def test_the_expected_risk_is_controlled():
    """On average over calibration sets, the risk of the setting that is taken is at most alpha."""
    rng, risks = np.random.default_rng(0), []
    thresholds = np.linspace(0, 1, 101)
    for _ in range(300):
        scores = rng.random(100)
        wrong = rng.random(100) < scores
        place = controlled((scores <= thresholds[:, None]) & wrong, 0.1)
        risks.append(0.0 if place is None else thresholds[place] ** 2 / 2)

    assert np.mean(risks) <= 0.1
    assert np.mean(risks) > 0.08
