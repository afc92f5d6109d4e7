from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from gateway.judging.agreement import Resampling, area, calibration_error, correlation, explained, kappa, mean, wilson

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), st.floats(0, 1)), min_size=2, max_size=40)


def once(statistic, n):
    return float(statistic(np.ones((1, n)))[0])


@given(ROWS)
def test_the_figures_are_those_of_others(rows):
    """AUC, kappa and correlation are scikit-learn's and scipy's."""
    said, found = (np.array(column) for column in zip(*rows, strict=True))
    good, n = found > 0.5, len(rows)
    if good.any() and not good.all():
        assert roc_auc_score(good, said) == pytest.approx(once(area(said, good), n))
    else:
        assert np.isnan(once(area(said, good), n))
    if len({*good, *(said > 0.5)}) > 1:
        assert cohen_kappa_score(good, said > 0.5) == pytest.approx(once(kappa(said > 0.5, good), n), abs=1e-9)
    if said.std() > 1e-3 and found.std() > 1e-3:
        assert pearsonr(said, found)[0] == pytest.approx(once(correlation(said, found), n), abs=1e-6)


@given(ROWS, st.data())
def test_weights_are_repetitions(rows, data):
    """A row of weight two is the row twice, for every statistic."""
    said, found = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))))
    if not weights.sum():
        return
    again = np.repeat(np.arange(len(rows)), weights)
    for make in (
        lambda at: mean(found[at]),
        lambda at: area(said[at], found[at] > 0.5),
        lambda at: calibration_error(said[at], found[at]),
        lambda at: kappa(said[at] > 0.5, found[at] > 0.5),
        lambda at: explained(said[at] > 0.5, found[at]),
    ):
        weighted = float(make(np.arange(len(rows)))(weights[None, :].astype(float))[0])
        assert once(make(again), len(again)) == pytest.approx(weighted, nan_ok=True, abs=1e-9)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_wilsons_interval(successes, n, low, high):
    """As in his paper's formula."""
    found = wilson(successes, n)

    assert (low, high) == pytest.approx((found.low, found.high), abs=1e-4)
    assert wilson(0, 0) is None


def test_intervals_hold_the_truth():
    """Those of a mean do in about nineteen of twenty draws."""
    rng = np.random.default_rng(0)
    held = sum(Resampling(120, seed).of(mean(rng.random(120))).holds(0.5) for seed in range(200))

    assert 178 <= held <= 199


def test_a_calibration_error():
    """It is zero where what is said is what is found, and the distance where all is said too high."""
    said = np.array([0.15] * 4 + [0.85] * 4)

    assert pytest.approx(0) == once(calibration_error(said, said), 8)
    assert pytest.approx(0.1) == once(calibration_error(said, said - 0.1), 8)


def test_what_a_sign_tells():
    """Nothing where it is seen as often with good as with bad, all where only one of them follows."""
    found = np.array([1.0, 0.0, 1.0, 0.0])

    assert pytest.approx(0) == once(explained(np.array([True, True, False, False]), found), 4)
    assert pytest.approx(1) == once(explained(np.array([False, True, False, True]), found), 4)
    assert np.isnan(once(explained(np.zeros(4, bool), found), 4)) or once(explained(np.zeros(4, bool), found), 4) == 0
