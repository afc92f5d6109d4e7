import numpy as np
import pytest

from routers.hierarchy import MIDDLE, NEWCOMER_VARIANCE, Hierarchy, Moments

WIDTH = 6


def moments(rows, seed=0, models=3):
    """Return sums of as many rows for each model, the better ones last."""
    rng = np.random.default_rng(seed)
    points = np.concatenate([np.ones((models, rows, 1)), rng.standard_normal((models, rows, WIDTH - 1))], axis=2)
    chances = np.linspace(0.2, 0.8, models)[:, None] + 0.1 * points[:, :, 1]
    rewards = (rng.random((models, rows)) < chances).astype(float)
    return Moments(
        np.einsum("mni,mnj->mij", points, points), np.einsum("mni,mn->mi", points, rewards), (rewards**2).sum(axis=1)
    )


def typical(believed):
    """Return features of a request for which the level is all that counts."""
    return np.linalg.pinv(believed.basis.T)[:, 0]


@pytest.fixture
def believed():
    return Hierarchy.of(("a", "b", "c"), moments(200), 3)


def test_models_are_found_by_name_in_any_order(believed):
    """What is expected of a model does not depend on which others are asked about, nor on their order."""
    request = np.array([1.0, 0.5, -0.5, 0.2, 0.0, 1.0])
    together = believed.at(request, ["c", "new", "a"], 0.25)
    alone = [believed.at(request, [model], 0.25)[:, 0] for model in ("c", "new", "a")]

    assert pytest.approx(np.array(alone).T) == together


def test_standard_errors_are_those_of_the_posterior(believed):
    """With all of the doubt about slopes it is the root of x' S x; with none that of the level's variance."""
    request = np.array([1.0, 0.5, -0.5, 0.2, 0.0, 1.0])
    point = request @ believed.basis
    spread = believed.spreads[1]

    assert pytest.approx(point @ spread @ point) == believed.at(request, ["b"], 1.0)[1, 0] ** 2
    assert pytest.approx(spread[0, 0]) == believed.at(request, ["b"], 0.0)[1, 0] ** 2


def test_a_newcomer_is_as_the_pool_and_hoped_for_most(believed):
    """Its mean is among those of the others; its doubt is that of a reward of which nothing is known."""
    level = typical(believed)
    means, errors = believed.at(level, ["a", "b", "c", "new"], 0.0)

    assert means[0] < means[3] < means[2]
    assert pytest.approx(NEWCOMER_VARIANCE) == errors[3] ** 2
    assert errors[3] > errors[:3].max()


def test_before_anything_is_known_every_model_is_alike():
    """No rows: the prior mean and a newcomer's doubt, whatever the request."""
    empty = Hierarchy.of((), Moments(np.zeros((0, WIDTH, WIDTH)), np.zeros((0, WIDTH)), np.zeros(0)), 3)
    means, errors = empty.at(np.ones(WIDTH), ["a", "b"], 0.0)

    assert pytest.approx([MIDDLE, MIDDLE]) == means
    assert pytest.approx([0.5, 0.5]) == errors


def test_models_are_drawn_to_each_other():
    """A model of which two rewards are known is expected to be nearer the pool than its own average."""
    sums = moments(200)
    few = moments(2, seed=1)
    mixed = Moments(*(np.concatenate([whole[:2], part[2:]]) for whole, part in zip(sums, few, strict=True)))
    believed = Hierarchy.of(("a", "b", "c"), mixed, 3)
    means, errors = believed.at(typical(believed), ["a", "b", "c"], 0.0)
    own = mixed.products[2, 0] / mixed.squares[2, 0, 0]

    assert abs(means[2] - means[:2].mean()) < abs(own - means[:2].mean())
    assert errors[2] > errors[:2].max()
