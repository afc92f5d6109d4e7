import numpy as np
import pytest

from routers.cascades.simulate import verdicts
from routers.cascades.staging import Staged
from routers.estimating import EstimatingRouter
from routers.estimators.knn import KNN
from routers.fixed import Fixed
from routers.rules.greedy import Greedy
from routers.types import Outcomes


def outcomes(n=300, seed=0):
    """Return outcomes of two models, good at the east and at the west."""
    rng = np.random.default_rng(seed)
    angles = rng.random(n) * 2 * np.pi
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    likely = 0.5 + 0.4 * vectors[:, :1] * np.array([1, -1])
    rewards = (rng.random((n, 2)) < likely).astype(np.float32)
    costs = np.tile(np.float32([0.1, 1.0]), (n, 1))
    return Outcomes(("a", "b"), vectors, rewards, costs, np.full_like(costs, np.nan))


def staged():
    """Return the stage of nearest neighbours."""
    return Staged.of(lambda: EstimatingRouter(KNN(neighbours=20), Greedy()), outcomes())


def test_chances_are_made_of_verdict_and_expectation():
    """A good verdict is worth more where the model was expected to be good, and both say more than either."""
    stage, rng = staged(), np.random.default_rng(0)
    gated = stage.gated(verdicts(stage.scene.rewards, 0.2, rng))

    def loss(chances):
        return ((chances - stage.scene.rewards) ** 2).mean()

    assert pytest.approx(0.2, abs=0.05) == gated.error
    assert loss(gated.scene.chances) < min(loss(stage.scene.means), 0.2 * 0.8) + 0.001


def test_other_requests_get_the_same_calibration():
    """And cost as much to check."""
    stage, others = staged(), outcomes(100, seed=1)
    gated = stage.gated(stage.scene.rewards, check_share=0.3)
    scene = gated.other(stage.other(others), others.rewards.astype(np.float64))

    assert 0.3 == scene.check_share
    assert ((scene.chances > 0.5) == (others.rewards == 1)).all()


def test_without_scores_a_chance_is_what_was_expected():
    """In the order of what was expected, at least."""
    stage = staged()
    chances = stage.gated(np.full(stage.scene.rewards.shape, np.nan)).scene.chances

    assert np.corrcoef(chances.ravel(), stage.scene.means.ravel())[0, 1] > 0.9


def test_refuses_a_router_that_expects_nothing():
    """Its plans could not be weighed."""
    with pytest.raises(ValueError, match="estimating"):
        Staged.of(lambda: Fixed("a"), outcomes(20))
