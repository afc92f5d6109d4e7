from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from routers.evaluation.off_policy.dr import dr
from routers.evaluation.off_policy.estimate import Estimate, mean_of
from routers.evaluation.off_policy.snips import snips
from routers.evaluation.off_policy.student import quantile
from tests.off_policy_samples import drawn


@given(st.floats(4, 1e6), st.floats(0.5, 0.99))
def test_the_quantile_is_student_s(degrees, coverage):
    """To two in a hundred, from four degrees of freedom on."""
    assert t.ppf((1 + coverage) / 2, degrees) == pytest.approx(quantile(coverage, degrees), rel=0.02)


def test_a_mean_has_the_error_of_a_mean():
    """Of rows that do not depend on each other."""
    values = np.random.default_rng(0).normal(size=200)
    found = mean_of(values, np.arange(200))

    assert values.std(ddof=1) / math.sqrt(200) == pytest.approx(found.error)
    assert found.value == pytest.approx(np.mean(found.interval))


def test_rows_that_repeat_each_other_count_once():
    """Each value ten times in one session is no more than each once."""
    values = np.random.default_rng(0).normal(size=100)
    once = mean_of(values, np.arange(100))
    repeated = mean_of(np.repeat(values, 10), np.repeat(np.arange(100), 10))

    assert once.error == pytest.approx(repeated.error)
    assert once.degrees == pytest.approx(repeated.degrees)


def test_one_cluster_has_no_interval():
    """Nothing tells how others would have been."""
    assert math.isnan(mean_of(np.array([1.0, 0.0]), np.array([7, 7])).error)


@given(st.integers(0, 1000))
def test_a_policy_is_no_better_than_itself(seed):
    """Differences are paired: what both have in common cancels, all of it."""
    found = dr(drawn(seed))

    assert (0.0, 0.0) == found.less(found).interval
    assert (0.0, 0.0) == pytest.approx(found.relative_to(found).interval, abs=1e-12)


def test_paired_differences_are_narrower():
    """Two policies that are nearly the same differ by little, however noisy both are."""
    one, other = drawn(1, n=2000), drawn(1, n=2000)
    other.target[:20] = other.logged[:20]
    a, b = snips(one), snips(other)

    assert a.less(b).error < 0.5 * a.error


def test_relative_changes_follow_the_delta_method():
    """Against draws of two means that depend on each other."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        base = rng.gamma(4.0, size=500)
        new = base * 0.8 + rng.normal(0, 0.2, 500)
        one, other = mean_of(new, np.arange(500)), mean_of(base, np.arange(500))
        found.append((one.relative_to(other).value, one.relative_to(other).error))
    values, errors = np.array(found).T

    assert -0.2 == pytest.approx(values.mean(), abs=0.001)
    assert values.std() == pytest.approx(errors.mean(), rel=0.1)


def test_nothing_is_relative_to_nothing():
    """A change of no cost has no percentage."""
    found = mean_of(np.ones(5), np.arange(5)).relative_to(mean_of(np.zeros(5), np.arange(5)))

    assert math.isnan(found.value)


def test_none_in_a_hundred_is_not_never():
    """The interval of no failures ends near the 3 / n of the rule of three."""
    found = mean_of(np.zeros(100), np.arange(100)).imagining(1.0, 100.0)

    assert 0.03 == pytest.approx(found.interval[1], rel=0.1)


@given(st.integers(0, 1000))
def test_a_few_heavy_rows_widen_the_interval(seed):
    """As they would with so many rows."""
    rng = np.random.default_rng(seed)
    terms = rng.normal(size=500)
    heavy = terms.copy()
    heavy[:3] = [100.0, -100.0, 100.0]
    calm, wild = (Estimate(0.0, one, np.arange(500)) for one in (terms, heavy))

    assert wild.degrees < 4 < calm.degrees
