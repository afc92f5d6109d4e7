from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.evaluation.hull import area, first_reach, hull, log_area

POINTS = st.lists(
    st.tuples(st.floats(0, 10, allow_subnormal=False), st.floats(0, 1, allow_subnormal=False)), min_size=1, max_size=12
)


def corners(points):
    return hull([c for c, _ in points], [q for _, q in points])


def test_a_hull_by_hand():
    """(2, 0.6) lies below the line from (1, 0.5) to (3, 0.9), and (4, 0.8) costs more for less."""
    costs, qualities = hull([4, 2, 1, 3], [0.8, 0.6, 0.5, 0.9])

    assert [1.0, 3.0] == costs.tolist()
    assert [0.5, 0.9] == qualities.tolist()


def test_of_points_of_one_cost_the_best_counts():
    """And of equal points one is enough."""
    costs, qualities = hull([1, 1, 1], [0.2, 0.7, 0.7])

    assert ([1.0], [0.7]) == (costs.tolist(), qualities.tolist())


def test_no_points_have_no_hull():
    """There is nothing to draw."""
    with pytest.raises(ValueError, match="no point"):
        hull([], [])


def test_area_by_hand():
    """From 1 to 5: a trapezoid of mean height 0.7 and width 2, then flat at 0.9."""
    assert (2 * 0.7 + 2 * 0.9) / 4 == pytest.approx(area(hull([1, 3], [0.5, 0.9]), 1, 5))


def test_area_between_equal_costs_is_the_height_there():
    """A pool whose models all cost the same."""
    assert 0.7 == pytest.approx(area(hull([1, 3], [0.5, 0.9]), 2, 2))


def test_hull_that_starts_later_is_taken_to_be_flat_before():
    """As is one that ends sooner."""
    assert 0.5 == pytest.approx(area(hull([2], [0.5]), 1, 5))


def test_logarithmic_area_by_hand():
    """Along q = c / 4 from 1 to 2 the integral over ln c is (2 - 1) / 4; then flat at 0.5 for another ln 2."""
    expected = (0.25 + 0.5 * math.log(2)) / math.log(4)

    assert expected == pytest.approx(log_area(hull([1, 2], [0.25, 0.5]), 1, 4))


def test_zero_has_no_logarithm():
    """A model that costs nothing leaves the logarithmic area unknown."""
    assert math.isnan(log_area(hull([0, 2], [0.25, 0.5]), 0, 4))


def test_first_place_that_is_high_enough():
    """Between two points along a line; not at all where none is; the first of several."""
    places, heights = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.2, 0.6, 0.4, 0.8])

    assert 1.5 == pytest.approx(first_reach(places, heights, 0.4))
    assert 1.0 == first_reach(places, heights, 0.1)
    assert 2.0 == pytest.approx(first_reach(places, heights, 0.6))
    assert first_reach(places, heights, 0.9) is None


@settings(max_examples=50, deadline=None)
@given(POINTS)
def test_a_hull_rises_ever_more_slowly_and_is_above_every_point(points):
    """Non-decreasing, concave, and nothing sticks out."""
    costs, qualities = corners(points)
    slopes = np.diff(qualities) / np.diff(costs)

    assert (np.diff(costs) > 0).all()
    assert (slopes > 0).all()
    assert (np.diff(slopes) <= 1e-9 * np.abs(slopes[:-1])).all()
    assert all(np.interp(c, costs, qualities) >= q - 1e-9 for c, q in points)


@settings(max_examples=50, deadline=None)
@given(POINTS, st.tuples(st.floats(0, 10), st.floats(0, 1)))
def test_one_more_point_never_makes_it_less(points, more):
    """What is possible stays possible; the cheapest point is among both."""
    start = (0.0, 0.1)

    before = area(corners([start, *points]), 0, 10)
    assert area(corners([start, *points, more]), 0, 10) >= before - 1e-9


@settings(max_examples=50, deadline=None)
@given(POINTS)
def test_area_lies_between_the_lowest_and_the_highest_point(points):
    """It is a mean height."""
    start = (0.0, 0.0)
    heights = [q for _, q in [start, *points]]

    assert min(heights) - 1e-9 <= area(corners([start, *points]), 0, 10) <= max(heights) + 1e-9
