from __future__ import annotations

import numpy as np
import pytest

from routers.evaluation.curve import measure
from routers.evaluation.dial import dial
from routers.evaluation.references import MIXING, references, task_means
from routers.evaluation.yardstick import Yardstick
from routers.types import Outcomes


def table(n=40, seed=0):
    """Two tasks in turn, a specialist for each at 1 USD, and a model at 5 USD that is right seven times in ten."""
    rng, kind = np.random.default_rng(seed), np.arange(n) % 2
    chance = np.stack([np.where(kind == 0, 0.9, 0.2), np.where(kind == 1, 0.9, 0.2), np.full(n, 0.7)], axis=1)
    rewards = (rng.random((n, 3)) < chance).astype(np.float32)
    costs = np.tile(np.array([1.0, 1.1, 5.0], np.float32), (n, 1))
    tasks = tuple("poems" if one else "sums" for one in kind)
    return Outcomes(
        ("x", "y", "z"), np.zeros((n, 0), np.float32), rewards, costs, np.full_like(costs, np.nan), tasks=tasks
    )


def curves():
    train, test = table(400, 1), table(400, 2)
    yardstick = Yardstick.of(train, test)
    found = references(train, test, dial()).items()
    return test, {name: measure(*sweep.points, yardstick, mixing=name in MIXING) for name, sweep in found}


def test_references_have_their_order():
    """The cheapest and chance below mixing, mixing below knowing the task, and that below knowing the outcome."""
    _, found = curves()

    assert found["cheapest"].aiq < found["zero"].aiq < found["task_oracle"].aiq < found["oracle"].aiq
    assert found["random"].max_accuracy < found["best_single"].max_accuracy


def test_the_task_oracle_takes_the_specialists():
    """Told the task it is right nine times in ten, at a fifth of the cost."""
    _, found = curves()

    assert 0.9 == pytest.approx(found["task_oracle"].max_accuracy, abs=0.03)
    assert found["task_oracle"].match_cost_ratio < 0.25


def test_the_oracle_is_right_wherever_anybody_is_and_pays_the_least_for_it():
    """At the dial's quality end; the cheapest of those that are right."""
    test, found = curves()

    right = test.rewards.max(axis=1)
    paid = np.where(test.rewards == right[:, None], test.costs_usd, np.inf).min(axis=1)
    assert right.mean() == pytest.approx(found["oracle"].max_accuracy)
    assert paid.mean() == pytest.approx(found["oracle"].cost_at_max_usd)
    assert 0.0 == pytest.approx(found["oracle"].gap_to_oracle, abs=1e-6)


def test_every_model_is_a_reference():
    """By its name, always called."""
    test, found = curves()

    assert test.rewards.mean(axis=0).tolist() == pytest.approx(
        [found[f"single:{model}"].max_accuracy for model in test.models]
    )


def test_the_zero_router_has_all_models_as_points():
    """Each with its own share."""
    train, test = table(40, 1), table(40, 2)

    assert np.eye(3).tolist() == references(train, test, dial())["zero"].shares.tolist()


def test_the_zero_router_is_its_hull():
    """A model that is dearer and worse is none that it would mix: its deferral curve is the hull."""
    _, found = curves()

    assert found["zero"].aiq == found["zero"].deferral_area


def test_a_task_that_was_never_seen_has_the_means_of_all():
    """As has a model that was never run on a task."""
    train = table(4)
    train.rewards[:] = [[1, 0, 1], [0, 1, np.nan], [1, 0, 0], [0, 1, np.nan]]
    rewards, costs = task_means(train, ["sums", "poems", "jokes"])

    assert [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.5, 0.5, 0.5]] == rewards.tolist()
    assert [1.0, 1.1, 5.0] == pytest.approx(costs[2].tolist())
