import numpy as np
import pytest

from routers.barp.actor import Actor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 4))
W = np.stack([np.linspace(0, 1, 5), 1 - np.linspace(0, 1, 5)], axis=1)


def actor(models=("a", "b", "c")):
    new = Actor.new(4, hidden=6, seed=0).knowing(models)
    drawn = {name: RNG.standard_normal(value.shape) * 0.5 for name, value in new.parameters.items()}
    return Actor(new.models, drawn)


def test_gradient_is_the_slope_of_the_loss():
    """By every parameter, against differences of the loss itself."""
    one, by_logits, by_values = actor(), RNG.standard_normal((5, 3)), RNG.standard_normal(5)

    def loss(parameters):
        given = one.layers(parameters, X, W)
        return (given.logits * by_logits).sum() + (given.values * by_values).sum()

    given = one.layers(one.parameters, X, W)
    gradient = one.gradient(one.parameters, given, W, (by_logits, by_values))
    for name, value in one.parameters.items():
        for place in list(np.ndindex(value.shape))[:7]:
            ends = []
            for step in (1e-6, -1e-6):
                moved = {key: array.copy() for key, array in one.parameters.items()}
                moved[name][place] += step
                ends.append(loss(moved))
            assert pytest.approx(gradient[name][place], abs=1e-5) == (ends[0] - ends[1]) / 2e-6


def test_chances_are_of_those_asked_for():
    """They sum to one, whatever part of the models is asked for."""
    one = actor()
    whole = dict(zip("abc", one.chances(X[0], 0.5, "abc"), strict=True))
    part = one.chances(X[0], 0.5, "ca")

    assert pytest.approx(1) == sum(part)
    assert pytest.approx(whole["c"] / whole["a"]) == part[0] / part[1]


def test_a_newcomer_is_average():
    """One that joined, and one that the policy has never heard of."""
    joined = actor().knowing(("a", "d"))
    logits = joined.layers(joined.parameters, X, W).logits

    assert ("a", "b", "c", "d") == joined.models
    assert pytest.approx(logits[:, :3].mean(axis=1)) == logits[:, 3]
    assert joined.chances(X[0], 0.5, ["a", "strange"])[1] > 0


def test_the_dial_makes_a_difference():
    """The same request, another preference."""
    one = actor()

    assert one.chances(X[0], 0.0, "abc") != one.chances(X[0], 1.0, "abc")
