from __future__ import annotations

import math
from itertools import pairwise

import pytest

from routers.evaluation.dial import dial


def test_prices_are_evenly_spaced_between_the_ends():
    """41 settings whose log prices go from 7 to -9, and both ends."""
    weights = dial()
    logarithms = [math.log((1 - w) / w) for w in weights[1:-1]]

    assert (0.0, 1.0, 43) == (weights[0], weights[-1], len(weights))
    assert (7.0, -9.0) == (pytest.approx(logarithms[0]), pytest.approx(logarithms[-1]))
    assert [-0.4] * 40 == pytest.approx([b - a for a, b in pairwise(logarithms)])
    assert sorted(weights) == list(weights)


def test_a_dial_has_two_steps_at_least():
    """One price is no sweep."""
    with pytest.raises(ValueError, match="steps=1"):
        dial(1)
