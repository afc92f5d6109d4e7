import numpy as np
import pytest

from routers.network import Lesson, Network


def lesson(seed=0, points=None):
    """Six rows of three models, with gaps."""
    rng = np.random.default_rng(seed)
    embeddings = rng.standard_normal((6, 4)) if points is None else points
    return Lesson.of(embeddings.astype(np.float32), rng.random((6, 3)).astype(np.float32), rng.random((6, 3)) < 0.7)


def test_gradient_is_that_of_the_cross_entropy():
    """Each number of it agrees with a difference of the loss, over what was observed."""
    rng = np.random.default_rng(0)
    taught = lesson()
    start = {name: value + 0.3 * rng.standard_normal(value.shape) for name, value in taught.start(5, rng).items()}
    rows = np.array([0, 2, 3, 5])

    def loss(parameters):
        hidden = np.maximum(taught.points[rows] @ parameters["inner"] + parameters["offsets"], 0)
        odds = hidden @ parameters["outer"] + parameters["intercepts"] + taught.odds
        losses = np.logaddexp(0, odds) - taught.rewards[rows] * odds
        return losses[taught.observed[rows]].sum() / taught.observed[rows].sum()

    gradient = taught.gradient(start, rows)
    for name, value in start.items():
        for place in np.ndindex(value.shape):
            moved = {sign: start | {name: value.copy()} for sign in (-1, 1)}
            for sign, parameters in moved.items():
                parameters[name][place] += sign * 1e-5
            assert pytest.approx((loss(moved[1]) - loss(moved[-1])) / 2e-5, abs=1e-6) == gradient[name][place]


def test_network_says_at_a_point_what_it_said_in_training():
    """The scaling of the points is part of the first layer."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((6, 4)).astype(np.float32)
    taught = lesson(points=points)
    weights = {name: value + 0.3 * rng.standard_normal(value.shape) for name, value in taught.start(5, rng).items()}

    hidden = np.maximum(taught.points @ weights["inner"] + weights["offsets"], 0)
    odds = hidden @ weights["outer"] + weights["intercepts"] + taught.odds
    network = taught.network(weights)

    for point, expected in zip(points, 1 / (1 + np.exp(-odds)), strict=True):
        assert pytest.approx(expected, abs=1e-6) == network.at(point)[0]


def test_untrained_network_says_the_means():
    """Of every request the same, of each model its own."""
    taught = lesson()
    network = taught.network(taught.start(5, np.random.default_rng(0)))

    means = taught.rewards.sum(axis=0) / taught.observed.sum(axis=0)
    assert pytest.approx(means) == network.at(np.ones(4, np.float32))[0]


def test_state_comes_back():
    """What is restored says the same."""
    taught, point = lesson(), np.ones(4, np.float32)
    network = taught.network(taught.start(5, np.random.default_rng(0)))

    assert network.at(point).tolist() == Network.restored(network.state()).at(point).tolist()
