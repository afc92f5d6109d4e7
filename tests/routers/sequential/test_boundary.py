from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.sequential.boundary import Boundary


@given(st.floats(1e-4, 0.2), st.floats(10, 1e6), st.floats(0.1, 1000))
def test_it_is_wider_than_a_bound_that_is_looked_at_once(alpha, tuned_at, later):
    """And a smaller alpha makes it wider."""
    information = tuned_at * later
    errors = Boundary(alpha, tuned_at).errors(information)

    assert NormalDist().inv_cdf(1 - alpha) < errors < Boundary(alpha / 2, tuned_at).errors(information)


def test_it_is_tightest_about_where_it_was_tuned():
    """A factor of ten away it is hardly wider."""
    boundary = Boundary(0.05, tuned_at=1000)
    widths = [boundary.errors(information) / math.sqrt(information) for information in (100, 1000, 10_000)]
    tuned = [Boundary(0.05, tuned_at=n).errors(n) / math.sqrt(n) for n in (100, 1000, 10_000)]

    assert all(1 <= width / best < 1.4 for width, best in zip(widths, tuned, strict=True))
    assert math.isinf(boundary.errors(0))


@pytest.mark.parametrize(("alpha", "tuned_at"), [(0.0, 10), (0.5, 10), (0.05, 0)])
def test_what_bounds_nothing_is_refused(alpha, tuned_at):
    """A level that is none, or no time."""
    with pytest.raises(ValueError, match="alpha"):
        Boundary(alpha, tuned_at)


def test_a_mean_that_is_looked_at_all_the_time_stays_within():
    """Of 400 running means of 5,000 draws at most alpha, give or take chance, are ever outside."""
    rng = np.random.default_rng(1)
    numbers = np.arange(1, 5001)
    bound = np.array([Boundary(0.1, tuned_at=500).errors(float(n)) for n in numbers])
    left = 0
    for _ in range(400):
        means = np.cumsum(rng.normal(size=5000)) / np.sqrt(numbers)
        left += bool((means > bound).any())

    assert 0 < left <= 55  # three standard deviations above 40
