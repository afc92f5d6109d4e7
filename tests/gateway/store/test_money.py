from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.money import from_nanos, to_nanos


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_nanos_survive(nanos):
    """Every amount that fits the column comes back as it was."""
    assert nanos == to_nanos(from_nanos(nanos))


@given(st.decimals(-9_000_000_000, 9_000_000_000, allow_nan=False, places=9))
def test_dollars_of_nine_digits_survive(usd):
    """Nine digits after the point lose nothing."""
    assert usd == from_nanos(to_nanos(usd))


@pytest.mark.parametrize(
    ("usd", "nanos"),
    [
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.00000000050000000000000000000000000000000000001", 1),
        ("-0.0000000015", -2),
        ("1E+3", 10**12),
    ],
)
def test_rounds_half_even_once(usd, nanos):
    """What is finer than a nano-dollar goes to the even neighbour at a tie, to the nearer one otherwise."""
    assert nanos == to_nanos(Decimal(usd))


@pytest.mark.parametrize("usd", ["NaN", "sNaN", "Infinity"])
def test_refuses_what_is_no_amount(usd):
    """NaN and infinities are errors."""
    with pytest.raises(ValueError, match="no amount of dollars"):
        to_nanos(Decimal(usd))


def test_refuses_an_amount_beyond_its_digits():
    """An amount that could not be rounded exactly is an error."""
    with pytest.raises(InvalidOperation):
        to_nanos(Decimal("1E+40"))


def test_shows_nine_digits():
    """An amount is written in full, to the nano-dollar."""
    assert str(from_nanos(12_340)) == "0.000012340"
