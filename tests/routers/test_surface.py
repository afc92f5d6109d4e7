import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.surface import DIMENSIONS, surface


@given(st.text())
def test_is_finite_for_any_string(text):
    """Shares and logarithms of counts."""
    numbers = surface(text)

    assert (DIMENSIONS,) == numbers.shape
    assert np.isfinite(numbers).all()
    assert (numbers >= 0).all()


def test_shares_are_square_roots():
    """A quarter of the characters are digits."""
    assert 0.5 == surface("1abc")[0]


@pytest.mark.parametrize(
    ("text", "count", "place"),
    [("four", 4, 0), ("a b a", 3, 1), ("a b a", 2, 2), ("A. x\nB. y\nC) z", 3, 6), ("7 and 3.5", 3, 7), ("3.5", 1, 8)],
)
def test_counts_are_logarithms(text, count, place):
    """Characters, words, different words, choices, numbers, decimals."""
    assert pytest.approx(np.log1p(count)) == surface(text)[DIMENSIONS - 10 + place]


def test_the_length_of_a_long_text_counts_whole():
    """Though its middle is not read."""
    assert pytest.approx(np.log1p(100_000)) == surface("x" * 100_000)[DIMENSIONS - 10]
