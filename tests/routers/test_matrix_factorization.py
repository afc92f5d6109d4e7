import numpy as np
import pytest

from routers.battles import Battles
from routers.estimators.matrix_factorization import MatrixFactorization
from routers.types import Context
from tests.tables import EAST, NORTH, A, B, C, learned, mean, specialists, std, table, towards


def make(**options):
    """Return a small estimator that learns fast."""
    return MatrixFactorization(**({"dimension": 4, "epochs": 10, "learning_rate": 0.02} | options))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dimension": 0},
        {"epochs": 0},
        {"pairs": 0},
        {"max_rows": 0},
        {"learning_rate": 0.0},
        {"weight_decay": -1.0},
        {"noise": -1.0},
    ],
)
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        MatrixFactorization(**wrong)


def battles(n=100):
    """Return battles that a wins on the east and loses on the north, against b."""
    winners, losers = ["a", "b"] * n, ["b", "a"] * n
    return Battles.won(np.array([EAST, NORTH] * n, np.float32), winners, losers)


def test_battles_alone_are_learned():
    """Without a reward the estimate is the probability to beat an average model."""
    estimator = make(epochs=20)
    estimator.learn_battles(battles())

    assert mean(estimator, towards(EAST), A) > 0.75
    assert mean(estimator, towards(EAST), B) < 0.25
    assert pytest.approx(1) == mean(estimator, towards(EAST), A) + mean(estimator, towards(EAST), B)
    assert 0 < std(estimator, towards(EAST)) < 0.3


def test_without_embedding_the_share_of_battles_won():
    """A tie is half a win: one and a half of two."""
    estimator = make()
    estimator.learn_battles(Battles.won(np.array([EAST, NORTH], np.float32), ["a", "a"], ["b", "b"], [False, True]))

    assert (0.75, 0.25) == (mean(estimator, Context("", 1), A), mean(estimator, Context("", 1), B))


def test_battles_add_to_rewards():
    """Rewards that say nothing of directions get them from battles, scaled to rewards."""
    estimator = learned(make(), table([EAST, NORTH] * 3, [[0.9, 0.1], [0.1, 0.9]] * 3))
    doubt = std(estimator, towards(EAST))
    estimator.learn_battles(battles())

    assert mean(estimator, towards(EAST), A) > 0.6
    assert mean(estimator, towards(NORTH), A) < 0.4
    assert std(estimator, towards(EAST)) < doubt


def test_a_model_known_by_battles_alone_is_estimated():
    """C has no rewards, but beats b wherever a does."""
    estimator = learned(make(), specialists().of_models(["a", "b"]))
    estimator.learn_battles(Battles.won(np.array([EAST, NORTH] * 60, np.float32), ["c", "b"] * 60, ["b", "c"] * 60))

    assert mean(estimator, towards(EAST), C) > 0.6
    assert mean(estimator, towards(NORTH), C) < 0.4


def test_battles_are_restored():
    """State holds them, bounded."""
    estimator, restored = make(max_rows=30), make(max_rows=30)
    estimator.learn_battles(battles())
    restored.restore(estimator.state())
    for each in (estimator, restored):
        each.learn(table([EAST], [[1.0, 0.0]]))

    assert 30 == len(restored.state()["battles.results"])
    assert mean(estimator, towards(EAST)) == mean(restored, towards(EAST))


def test_rewards_must_be_of_the_battles_encoder():
    """Battles came first, with embeddings of three numbers."""
    estimator = make()
    estimator.learn_battles(Battles.won(np.ones((2, 3), np.float32), ["a", "b"], ["b", "a"]))

    with pytest.raises(ValueError, match="has 2 numbers but those learned have 3"):
        estimator.learn(specialists())


def test_battles_must_be_of_the_rewards_encoder():
    """Rewards came first, with embeddings of two numbers."""
    estimator = learned(make(), specialists())

    with pytest.raises(ValueError, match="has 3 numbers but those learned have 2"):
        estimator.learn_battles(Battles.won(np.ones((2, 3), np.float32), ["a", "b"], ["b", "a"]))
