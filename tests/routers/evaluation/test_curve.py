from __future__ import annotations

import numpy as np
import pytest

from routers.evaluation.curve import (
    arena_score,
    below_hull,
    deferral_area,
    hypervolume,
    measure,
    pareto_distance,
    pareto_front,
    qnc,
    rank_score,
)
from routers.evaluation.yardstick import Point, Yardstick, best_single, means
from routers.types import Outcomes

#: The cheapest model costs 1 and is right half the time, the dearest costs 5; the best costs 4.
YARDSTICK = Yardstick(
    cheapest=Point(1.0, 0.5), dearest_usd=5.0, baseline=Point(4.0, 0.8), strongest=Point(4.0, 0.8), oracle_quality=1.0
)


def curve(*points):
    cost, quality = zip(*points, strict=True)
    return np.array(cost, float), np.array(quality, float)


def outcomes(rewards, costs, models=("a", "b", "c")):
    rewards, costs = np.array(rewards, np.float32), np.array(costs, np.float32)
    return Outcomes(models, np.zeros((len(rewards), 0), np.float32), rewards, costs, np.full_like(costs, np.nan))


def test_measures_by_hand():
    """One setting at (3, 0.9), and the cheapest model at (1, 0.5)."""
    found = measure(*curve((3, 0.9)), YARDSTICK)

    assert (2 * 0.7 + 2 * 0.9) / 4 == pytest.approx(found.aiq)
    assert (0.9, 3.0) == (found.max_accuracy, found.cost_at_max_usd)
    assert 0.9 == pytest.approx(found.accuracy_at_baseline_cost)
    # 0.8 is reached at 2.5 of the hull.
    assert 2.5 / 4 == pytest.approx(found.match_cost_ratio)
    assert 1 - 2.5 / 4 == pytest.approx(found.cost_save)
    assert 2.5 / 4 == pytest.approx(found.qnc)
    # 0.72 is nine tenths of the strongest model's 0.8.
    assert (1 + 2 * 0.22 / 0.4) / 4 == pytest.approx(found.cpt90)
    assert 0.9 / 0.8 - 1 == pytest.approx(found.perf_gain)
    assert 0.1 == pytest.approx(found.gap_to_oracle)


def test_what_is_never_matched_is_none():
    """A router that is always worse than the best single model."""
    found = measure(*curve((2, 0.6), (5, 0.7)), YARDSTICK)

    assert (None, None, None) == (found.match_cost_ratio, found.cost_save, found.qnc)


def test_of_two_settings_as_accurate_the_cheaper_is_reported():
    """The highest accuracy costs what it costs at the least."""
    assert 2.0 == measure(*curve((3, 0.9), (2, 0.9), (1, 0.4)), YARDSTICK).cost_at_max_usd


def test_nothing_to_divide_by_is_none():
    """Models that are free and always wrong."""
    nothing = Yardstick(Point(0.0, 0.0), 0.0, Point(0.0, 0.0), Point(0.0, 0.0), 0.0)
    found = measure(*curve((0, 0)), nothing)

    assert (None, None, None) == (found.perf_gain, found.gap_to_oracle, found.match_cost_ratio)
    assert 0.0 == found.aiq


def test_deferral_curve_has_no_hull():
    """From (1, 0.5) down to (3, 0.3), up to (5, 0.9): mean heights 0.4 and 0.6."""
    assert 0.5 == pytest.approx(deferral_area(*curve((3, 0.3), (5, 0.9)), YARDSTICK))


def test_quality_neutral_cost_follows_the_deferral_curve():
    """It reaches 0.8 halfway from (3, 0.7) to (5, 0.9)."""
    assert 4 / 4 == pytest.approx(qnc(*curve((3, 0.7), (5, 0.9)), YARDSTICK))


#: From (1, 0.5) the hull goes straight to (5, 0.9), past a model in between that is worse than both.
PAST = curve((1, 0.5), (3, 0.3), (5, 0.9))


def test_who_may_mix_settings_is_measured_on_the_hull():
    """Mean height 0.7 over costs of 1 to 5, which are 4/5 of all; 0.8 is reached at three quarters of the way."""
    found = measure(*PAST, YARDSTICK, mixing=True)

    assert (0.7, 0.7) == pytest.approx((found.aiq, found.deferral_area))
    assert 4 / 4 == pytest.approx(found.qnc)
    assert 0.7 * 4 / 5 == pytest.approx(found.hypervolume)


def test_who_may_not_is_measured_at_the_settings():
    """The worse model in between costs area, and 0.8 comes later; nothing is dominated but by a setting."""
    found = measure(*PAST, YARDSTICK)

    assert 0.5 == pytest.approx(found.deferral_area)
    assert (3 + 2 * 5 / 6) / 4 == pytest.approx(found.qnc)
    assert 0.5 * 4 / 5 == pytest.approx(found.hypervolume)


@pytest.mark.parametrize(("cost", "dearest", "expected"), [(0.0, 0.0, 0.9), (9.0, 5.0, 0.0), (5.0, 5.0, 0.0)])
def test_mixing_what_is_free_or_too_dear(cost, dearest, expected):
    """As of settings that are not mixed."""
    assert expected == below_hull(*curve((cost, 0.9)), dearest)


def test_hypervolume_by_hand():
    """0.5 from a cost of 1 to 3 of 5, and 0.9 from there: the worse setting of the two dearer ones adds nothing."""
    assert (2 * 0.5 + 2 * 0.9) / 5 == pytest.approx(hypervolume(*curve((1, 0.5), (3, 0.9), (4, 0.6)), 5.0))


def test_settings_dearer_than_every_model_dominate_nothing():
    """A cascade may cost more than the dearest model alone."""
    assert 0.0 == hypervolume(*curve((9, 1.0)), 5.0)


@pytest.mark.parametrize(
    ("usd", "accuracy", "expected"), [(200, 0.9, 0.0), (0.0044, 1.0, 1.0), (0.0044, 0.5, 0.55 / 1.05)]
)
def test_arena_score_at_the_ends_of_its_range(usd, accuracy, expected):
    """The dearest cost scores nothing; the cheapest leaves (1 + b) A / (b A + 1)."""
    assert expected == pytest.approx(arena_score(usd, accuracy))


def test_arena_score_by_the_formula():
    """One USD for 1000 requests at an accuracy of 0.7: S = 1.1 * 0.7 * C / (0.07 + C), C = log2 200 / log2 (200 / 0.0044)."""
    cheapness = np.log2(200) / (np.log2(200) - np.log2(0.0044))

    assert 1.1 * 0.7 * cheapness / (0.07 + cheapness) == pytest.approx(arena_score(1.0, 0.7))


def test_rank_score_is_a_harmonic_mean():
    """At a cost in the middle the saving is half; at the dearest there is none."""
    assert 2 * 0.8 * 0.5 / 1.3 == pytest.approx(rank_score(3.0, 0.8, 1.0, 5.0))
    assert 0.0 == rank_score(5.0, 0.8, 1.0, 5.0)
    assert 0.0 == rank_score(5.0, 0.0, 1.0, 5.0)


def test_front_and_distance_to_it():
    """(3, 0.4) is dominated by (1, 0.5); it is 2 of 5 to the right of it, and 0.1 below."""
    front = pareto_front(*curve((3, 0.4), (1, 0.5), (4, 0.9)))

    assert ([1.0, 4.0], [0.5, 0.9]) == (front[0].tolist(), front[1].tolist())
    assert np.hypot(0.4, 0.1) == pytest.approx(pareto_distance(*curve((3, 0.4)), front, 5.0))
    assert 0.0 == pareto_distance(*curve((1, 0.5), (4, 0.9)), front, 5.0)


def test_a_yardstick_of_outcomes():
    """The best in training is not the strongest in the test."""
    train = outcomes([[1, 0, 1], [1, 0, 0]], [[1, 2, 3], [1, 2, 3]])
    test = outcomes([[1, 1, 0], [0, 1, 0]], [[1, 2, 6], [1, 2, 8]])

    expected = Yardstick(Point(1, 0.5), 7.0, Point(1, 0.5), Point(2, 1.0), 1.0)
    assert expected == Yardstick.of(train, test)


def test_the_cheaper_of_equally_good_models_is_the_best():
    """And one that was never run is never the best."""
    gap = float("nan")

    assert 1 == best_single(outcomes([[1, 1, gap], [0, 0, gap]], [[2, 1, gap], [2, 1, gap]]))


def test_means_skip_what_is_unknown():
    """Nothing known is no mean."""
    gap = float("nan")

    assert [1.0, 0.5] == means(np.array([[1, gap, gap], [1, 0.5, gap]]))[:2].tolist()
    assert np.isnan(means(np.array([[gap]]))[0])
