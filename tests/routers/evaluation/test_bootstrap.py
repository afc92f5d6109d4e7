from __future__ import annotations

import numpy as np
import pytest

from routers.evaluation.bootstrap import Bootstrap, Difference, difference, interval
from routers.evaluation.curve import measure
from routers.evaluation.replay import Sweep
from routers.evaluation.yardstick import Yardstick
from routers.types import Outcomes


def outcomes(n, seed, chances=(0.5, 0.6)):
    rng = np.random.default_rng(seed)
    rewards = (rng.random((n, len(chances))) < chances).astype(np.float32)
    costs = np.tile(np.arange(1, len(chances) + 1, dtype=np.float32), (n, 1))
    models = tuple("abcdef"[: len(chances)])
    return Outcomes(models, np.zeros((n, 0), np.float32), rewards, costs, np.full_like(costs, np.nan))


def single(table, column):
    shares = np.eye(len(table.models), dtype=np.float32)[[column]]
    return Sweep((None,), table.rewards[:, column][None], table.costs_usd[:, column][None], shares)


def test_a_planted_difference_is_covered_as_often_as_promised():
    """Of 100 tables drawn from the same source, about 95 in a hundred intervals hold the true difference of 0.1."""
    covered = 0
    for seed in range(100):
        table = outcomes(200, seed)
        boot = Bootstrap(table, resamples=200, seed=seed)
        low, high = interval(boot.accuracy(single(table, 1)) - boot.accuracy(single(table, 0)))
        covered += low <= 0.1 <= high

    assert 88 <= covered <= 99


def test_a_large_difference_is_found_and_none_is_not():
    """0.5 v 0.9 on 300 requests is better; a model against itself is no difference."""
    table = outcomes(300, 0, (0.5, 0.9))
    boot = Bootstrap(table, resamples=200)
    weak, strong = boot.accuracy(single(table, 0)), boot.accuracy(single(table, 1))

    assert "better" == difference(0.4, strong, weak).verdict
    assert "worse" == difference(-0.4, weak, strong).verdict
    assert "no difference" == difference(0.0, weak, weak).verdict


def test_pairing_makes_the_interval_of_a_difference_narrow():
    """Two routers that differ on one request in a hundred differ by little in every resample."""
    table = outcomes(300, 0)
    boot = Bootstrap(table, resamples=200)
    almost = single(table, 0)
    almost.quality[0, :3] = 1 - almost.quality[0, :3]
    mine, theirs = boot.accuracy(almost), boot.accuracy(single(table, 0))

    assert np.std(mine - theirs) < 0.3 * np.std(mine)


def test_resampled_areas_scatter_around_the_area_itself():
    """And each of them is measured by the models of its own resample."""
    table = outcomes(400, 3, (0.4, 0.6, 0.8))
    sweep = single(table, 1)
    samples = Bootstrap(table, resamples=300).aiq(sweep)
    aiq = measure(*sweep.points, Yardstick.of(table, table)).aiq

    assert aiq == pytest.approx(samples.mean(), abs=0.01)
    assert 0.005 < samples.std() < 0.05


def test_the_same_seed_draws_the_same_requests():
    """A report can be made again."""
    table = outcomes(50, 0)

    assert Bootstrap(table, 10).aiq(single(table, 1)).tolist() == Bootstrap(table, 10).aiq(single(table, 1)).tolist()


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "better"), (-0.2, -0.1, "worse"), (-0.1, 0.1, "no difference"), (0, 0, "no difference")],
)
def test_an_interval_that_holds_zero_is_no_difference(low, high, verdict):
    """Its ends belong to it."""
    assert verdict == Difference(0.0, (low, high)).verdict
