import pytest

from routers.types import Estimate
from routers.utility import Exchange

GOOD, FAIR = Estimate(0.9, 0.1), Estimate(0.5, 0.2)


def test_subtracts_the_relative_cost():
    """At w = 0.8 a candidate as dear as the reference loses a quarter, one half as dear an eighth."""
    utilities = Exchange(0.8, 0.02).utilities([GOOD, FAIR], [0.02, 0.01])

    assert pytest.approx([0.65, 0.375]) == [u.mean for u in utilities]
    assert [0.1, 0.2] == [u.std for u in utilities]


def test_weight_of_one_is_quality_alone():
    """No cost is too high."""
    assert [GOOD, FAIR] == Exchange(1.0, 0.02).utilities([GOOD, FAIR], [9.0, 0.0])


def test_weight_of_zero_ranks_by_cost_then_quality():
    """Cheaper comes first; of equal costs, the better."""
    utilities = Exchange(0.0, 0.02).utilities([GOOD, FAIR, GOOD, GOOD], [2.0, 1.0, 1.0, 1.0])

    assert [-2.0, -1.0, 0.0, 0.0] == [u.mean for u in utilities]


def test_tiny_weight_needs_no_infinity():
    """The smallest positive float is treated as zero."""
    assert [0.0, -1.0] == [u.mean for u in Exchange(5e-324, 0.02).utilities([FAIR, GOOD], [0.0, 1.0])]


def test_free_pool_is_judged_by_quality():
    """Where the dearest costs nothing there is nothing to subtract."""
    assert [GOOD, FAIR] == Exchange(0.5, 0.0).utilities([GOOD, FAIR], [0.0, 0.0])
