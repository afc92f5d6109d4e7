import numpy as np
import pytest

from routers.battles import Battles
from routers.duels import Descent, Duels, duel_gradient, duel_loss

RNG = np.random.default_rng(0)


def parameters():
    """Three models, two features, four numbers in an embedding."""
    rng = np.random.default_rng(1)
    return {
        "projection": rng.standard_normal((2, 4)),
        "models": rng.standard_normal((3, 2)),
        "weights": rng.standard_normal(2),
    }


def duels():
    """Five battles, one of them a tie."""
    rng = np.random.default_rng(2)
    firsts, seconds = np.array([0, 1, 2, 0, 1]), np.array([1, 2, 0, 2, 0])
    return Duels(rng.standard_normal((5, 4)), firsts, seconds, np.array([1, 0, 0.5, 1, 1]))


def test_loss_of_no_difference_is_log_two():
    """Weights of zero tell nobody apart."""
    assert pytest.approx(np.log(2)) == duel_loss(parameters() | {"weights": np.zeros(2)}, duels())


def test_loss_by_hand():
    """One battle: vectors (3, 4) / 5 and (1, 0), weights (2, 1), features (1, 1): 2 - 2 is 0 for the winner."""
    given = {"projection": np.eye(2), "models": np.array([[3.0, 4.0], [1.0, 0.0]]), "weights": np.array([2.0, 1.0])}
    one = Duels(np.ones((1, 2)), np.array([0]), np.array([1]), np.array([1.0]))

    assert pytest.approx(np.log(2)) == duel_loss(given, one)
    assert pytest.approx(np.log1p(np.exp(0.8))) == duel_loss(given | {"weights": np.array([2.0, 0.0])}, one)


@pytest.mark.parametrize("name", ["projection", "models", "weights"])
def test_gradient_is_that_of_the_loss(name):
    """Finite differences of every number."""
    found = duel_gradient(parameters(), duels())[name]
    for place in np.ndindex(found.shape):
        shift = np.zeros_like(found)
        shift[place] = 1e-6
        up, down = (duel_loss(parameters() | {name: parameters()[name] + sign * shift}, duels()) for sign in (1, -1))
        assert pytest.approx((up - down) / 2e-6, abs=1e-7) == found[place]


def test_features_have_a_mean_square_length_of_one():
    """So that the prior of the readout means the same whatever the descent found."""
    embeddings = RNG.standard_normal((50, 4)).astype(np.float32)
    projection, vectors = Descent(3, 5, 0.01, 0.0, 0.1, 0).run(Battles.won(embeddings, ["a"] * 50, ["b"] * 50))

    assert pytest.approx(1) == ((embeddings @ projection.T) ** 2).sum(axis=1).mean()
    assert (2, 3) == vectors.shape
