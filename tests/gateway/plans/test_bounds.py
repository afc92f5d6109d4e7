from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.plans.bounds import Bounds, Spent, hearing_s

usd = st.decimals("0", "10", places=6)


@given(usd, usd, st.integers(1, 9))
def test_shares_of_what_is_left_are_no_more_than_that(bound, spent, calls):
    """However much has been spent, and on however many calls."""
    share = Spent(1, spent).share_usd(Bounds(max_cost_usd=bound), calls)

    assert 0 <= share * calls <= max(bound - spent, 0) + Decimal("1e-20")


def test_without_a_bound_a_call_may_take_any_sum():
    """Nobody said how much is too much."""
    assert Spent(1, Decimal(99)).share_usd(Bounds(), 2) is None


@pytest.mark.parametrize(("made", "room"), [(0, 3), (2, 1), (3, 0), (7, 0)])
def test_there_is_room_for_as_many_calls_as_have_not_been_made(made, room):
    """Never for less than none."""
    assert room == Spent().plus(made, Decimal(0)).room(Bounds(3))


@pytest.mark.parametrize(("total_s", "expected"), [(600, 599.9), (10, 9.9), (0.5, 0.495)])
def test_a_little_time_is_kept_back(total_s, expected):
    """A tenth of a second, and no more than a hundredth of all."""
    assert expected == pytest.approx(hearing_s(total_s))
