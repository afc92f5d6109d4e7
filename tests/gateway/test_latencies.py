from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.latencies import MEMORY_S, WEIGHT, Latencies


def test_the_mean_moves_by_a_share():
    """The first answer is the mean; each further one moves it."""
    latencies = Latencies()
    latencies.note("m", 10, 0)
    latencies.note("m", 5, 1)

    assert {"m": 10 + WEIGHT * (5 - 10)} == latencies.lately(1)


def test_what_is_old_is_forgotten():
    """A model that was slow a minute ago is tried again, and starts anew."""
    latencies = Latencies()
    latencies.note("m", 10, 0)

    assert {"m": 10} == latencies.lately(MEMORY_S)
    assert {} == latencies.lately(MEMORY_S + 0.1)
    latencies.note("m", 1, MEMORY_S + 1)
    assert {"m": 1} == latencies.lately(MEMORY_S + 1)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=30))
def test_the_mean_is_between_what_was_measured(seconds):
    """Whatever comes, and models do not mix."""
    latencies = Latencies()
    for n, one in enumerate(seconds):
        latencies.note("m", one, n)
    latencies.note("other", 5000, 0)

    assert min(seconds) - 1e-9 <= latencies.lately(len(seconds))["m"] <= max(seconds) + 1e-9
    assert 5000 == pytest.approx(latencies.lately(1)["other"])
