from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.evaluation.off_policy.evidence import Demands, objections
from routers.evaluation.off_policy.exploration import FLOORS, explorations, requests_needed
from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.overlap import (
    Overlap,
    by_model,
    effective_by_model,
    effective_size,
    observed_by_model,
    overlap,
)
from tests.off_policy_samples import drawn, sample

GOOD = Overlap(1000, 1000, 500.0, 3.0, 0.0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_the_effective_size_is_between_none_and_all(weights):
    """All, where every weight is the same."""
    found = effective_size(np.array(weights))

    assert 0 <= found <= len(weights) * (1 + 1e-9)


def test_the_policy_that_ran_counts_in_full():
    """Every request is one of its own."""
    of = sample([0.3, 0.7], [0.3, 0.7], [0, 1, 1], [1, 0, 1])

    assert Overlap(3, 3, 3.0, 1.0, 0.0) == overlap(of)


def test_weights_that_were_not_drawn_count():
    """A rare choice that luck kept out of the log would have weighed a hundred: the distributions know."""
    of = sample([0.5, 0.5], [0.995, 0.005], np.zeros(100, int), np.ones(100))

    assert 100 == pytest.approx(effective_size(of.weights))
    assert 2 == pytest.approx(overlap(of).effective, rel=0.05)


def test_what_was_never_possible_is_not_supported():
    """Nor is what nobody wrote down."""
    of = sample([0.2, 0.5, 0.3], [1.0, 0.0, np.nan], [0, 0], [1, 1])
    shares, gone = by_model(of)

    assert 0.8 == pytest.approx(overlap(of).unsupported)
    assert [0.2, 0.5, 0.3] == pytest.approx(shares.tolist())
    assert [0.0, 0.5, 0.3] == pytest.approx(gone.tolist())


def test_models_are_told_apart():
    """How many rows each has that were observed, and what they count for."""
    of = sample([0.5, 0.5], [0.5, 0.5], [0, 0, 1], [1, np.nan, 0])

    assert [1, 1] == observed_by_model(of).tolist()
    assert [1.0, 1.0] == pytest.approx(effective_by_model(of).tolist())


def test_rare_ratings_count_as_few_rows():
    """Half the ratings are half the evidence."""
    full, half = (overlap(drawn(3, n=4000, rated=rated)) for rated in (1.0, 0.5))

    assert 0.5 == pytest.approx(half.effective / full.effective, rel=0.1)


def test_there_is_nothing_to_object_to_enough_evidence():
    """By default a hundred effective rows, and a hundredth without support."""
    assert [] == list(objections(GOOD, Demands()))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Overlap(1000, 1000, 99.0, 3.0, 0.0), "not enough data: 1000 requests were observed, which count for 99"),
        (Overlap(1000, 1000, 500.0, 3.0, 0.31), "31% of the traffic goes where no probability was logged"),
        (Overlap(1000, 0, 500.0, 3.0, 0.0), "nothing was observed"),
    ],
)
def test_what_is_missing_is_said(found, reason):
    """With the numbers."""
    assert any(reason in one for one in objections(found, Demands()))


def test_exploration_needs_what_it_says():
    """As many requests as that with such a floor give an interval that is about as narrow."""
    floor, half_width = 0.1, 0.05
    n = requests_needed(floor, moved=1.0, deviation=0.5, half_width=half_width)
    rng = np.random.default_rng(0)
    actions = (rng.random(n) < floor).astype(int)
    of = sample([0.0, 1.0], [1 - floor, floor], actions, rng.integers(0, 2, n) - 0.5)

    low, high = ips(of).interval
    assert half_width == pytest.approx((high - low) / 2, rel=0.1)


def test_more_exploration_needs_fewer_requests():
    """And what does not move needs none."""
    found = [one.requests for one in explorations(0.5, 0.4, 0.02)]

    assert sorted(found, reverse=True) == found
    assert len(FLOORS) == len(found)
    assert len({one.requests for one in explorations(0.0, 0.4, 0.02)}) == 1


@pytest.mark.parametrize(("floor", "width"), [(0.0, 0.1), (1.5, 0.1), (0.1, 0.0)])
def test_what_cannot_be_explored_is_refused(floor, width):
    """A floor of nothing tries nothing."""
    with pytest.raises(ValueError, match="must be"):
        requests_needed(floor, 0.5, 0.4, width)
