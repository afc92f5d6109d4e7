from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.quotas.pressure import HIGHEST, Paces, Pressure, nearing
from gateway.quotas.types import Quota
from gateway.quotas.windows import Window

SHARES = st.floats(0, 2)


def test_nothing_presses_where_there_is_no_quota():
    """Money has its price."""
    assert 1.0 == Pressure().price
    assert 3.0 == Pressure(prices={"a": 1.5, "b": 3.0}).price


@given(SHARES, SHARES, st.floats(0, 0.99))
def test_the_nearer_the_end_the_dearer(one, other, begins):
    """From 1 up to where it begins, without a jump, to the highest at the end."""
    low, high = sorted((one, other))

    assert 1.0 <= nearing(low, begins) <= nearing(high, begins) <= HIGHEST
    assert 1.0 == nearing(begins, begins)
    assert HIGHEST == nearing(1.0, begins)
    assert 1.0 == nearing(high, None)


def test_the_paces_that_are_remembered_are_bounded():
    """Who asked for nothing for longest begins anew; a key's own quota is another one."""
    paces, window = Paces(max_paces=2), Window(0, 4320 * 1000)
    quota = Quota("q", "user", "usd", 100, "month", paced=True)
    own = Quota("q", "key", "usd", 100, "month", paced=True, own=True)
    for now_ms, spent in ((0, 0), (100_000, 90)):
        prices = [paces.price(quota, "a", window, spent, now_ms), paces.price(own, "a", window, 0, now_ms)]
    assert prices[0] > 2
    assert 1.0 == prices[1]

    paces.price(quota, "b", window, 0, 100_000)
    assert 1.0 == paces.price(quota, "a", window, 90, 100_000)
