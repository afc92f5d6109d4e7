import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.tally import Tally


def test_sum_of_tallies_counts_both():
    """Models of either are in the sum."""
    total = Tally.of(("a",), np.array([[1.0]])) + Tally.of(("b", "a"), np.array([[0.5, 0.0]]))

    assert {"a": 0.5, "b": 0.5} == {model: total.mean_of(model) for model in total.models}


def test_gap_is_no_observation():
    """A mean over nothing is unknown, not zero."""
    tally = Tally.of(("a",), np.array([[np.nan]]))

    assert tally.mean_of("a") is None


def test_variance_has_one_imagined_observation():
    """Rewards 1 and 0 deviate by 0.5 in all squares; with 0.25 more, over three."""
    assert [0.25] == Tally.of(("a",), np.array([[1.0], [0.0]])).variance.tolist()


def test_equal_rewards_keep_some_variance():
    """Three times the same reward is not certainty."""
    assert [0.0625] == Tally.of(("a",), np.array([[1.0]] * 3)).variance.tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 20))
def test_parts_add_up_to_the_whole(values, cut):
    """A column counted in two parts is the column counted at once."""
    column = np.array(values)[:, None]

    parts = Tally.of(("a",), column[:cut]) + Tally.of(("a",), column[cut:])

    assert pytest.approx(Tally.of(("a",), column).mean_of("a")) == parts.mean_of("a")
