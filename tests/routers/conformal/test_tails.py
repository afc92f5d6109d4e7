import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from routers.conformal.tails import binomial, hoeffding_bentkus, hypergeometric, overtaking


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.001, 0.999))
def test_the_binomial_tail_is_exact(n, errors, rate):
    """It is what scipy computes."""
    assert pytest.approx(float(binom.cdf(min(errors, n), n, rate)), abs=1e-9) == binomial(errors, n, rate)


@given(st.integers(1, 120), st.data())
def test_the_hypergeometric_tail_is_exact(n, data):
    """It is what scipy computes."""
    errors, drawn = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    marked = data.draw(st.integers(0, n))
    expected = float(hypergeom.cdf(marked, n, errors, drawn))

    assert pytest.approx(expected, abs=1e-9) == hypergeometric(marked, drawn, errors, n)


@pytest.mark.parametrize(("errors", "rate", "expected"), [(-1, 0.5, 0.0), (5, 0.5, 1.0), (0, 0.0, 1.0), (0, 1.0, 0.0)])
def test_the_ends_of_the_binomial_tail(errors, rate, expected):
    """Fewer than none cannot be, as many as there are must."""
    assert expected == binomial(errors, 5, rate)


def test_a_bound_on_means_is_no_less_than_the_exact_tail():
    """Hoeffding and Bentkus have to allow for losses that are neither 0 nor 1."""
    for errors in range(6):
        assert 0.999999 * binomial(errors, 100, 0.1) <= hoeffding_bentkus(errors / 100, 100, 0.1) <= 1


def test_a_mean_above_the_rate_proves_nothing():
    """A mean of 0.2 says nothing for a rate of 0.1."""
    assert 1.0 == hoeffding_bentkus(0.2, 1000, 0.1)


def test_a_bound_at_a_mean_of_zero_is_hoeffdings():
    """(1 - rate) ** n."""
    assert pytest.approx(0.9**50) == hoeffding_bentkus(0.0, 50, 0.1)


def test_overtaking_counts_the_luck_of_what_comes():
    """One error falls on the one row or on the one request, and as likely on either."""
    assert pytest.approx(0.5) == overtaking(0, 1, 0.0, 1)
    assert binomial(3, 200, 0.05) < overtaking(3, 200, 0.05, 200)


def test_in_the_long_run_overtaking_is_the_binomial_tail():
    """With ever more requests their luck evens out."""
    assert pytest.approx(binomial(70, 1700, 0.05), rel=0.01) == overtaking(70, 1700, 0.05, 1_000_000)


def test_whatever_comes_is_allowed_where_all_of_it_may_be_wrong():
    """A rate of 1 cannot be exceeded."""
    assert 0.0 == overtaking(3, 10, 1.0, 10)


def test_overtaking_is_the_share_of_orders_in_which_it_happens():
    """Counted over all ways to give 4 errors to 3 rows and 4 requests: those with at least 3 at the requests."""
    ways = sum(math.comb(3, rows) * math.comb(4, 4 - rows) for rows in (0, 1))

    assert pytest.approx(ways / math.comb(7, 4)) == overtaking(1, 3, 0.5, 4)
