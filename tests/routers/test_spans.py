from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.fading import Fading
from routers.spans import Spans
from routers.sums import Sums

HALF_LIFE_S = 86_400.0
SPANS = Spans(Fading(HALF_LIFE_S))
TIMES = st.lists(st.floats(0, 10 * HALF_LIFE_S), min_size=1, max_size=30)
NOW = st.floats(0, 20 * HALF_LIFE_S)


def summed(times):
    """Return the sums of rows of two models in turn."""
    n = len(times)
    return SPANS.summed("x", ["ab"[i % 2] for i in range(n)], np.array(times), np.arange(n, dtype=float)[:, None] + 1)


def begun(times, now):
    """Return when the spans of one model begin, in minutes."""
    sums = SPANS.summed("x", ["a"] * len(times), np.array(times), np.ones((len(times), 1)))
    return [start / 60 for start, _ in SPANS.faded("x", sums, now)["a"]]


def test_spans_are_short_while_they_are_recent():
    """Of a day's half-life the longest are an hour and a half; an hour ago they are a quarter of it to a half."""
    width_s = SPANS.width_s(0)
    starts = begun(np.arange(0, 100_000, 10.0), now=100_000.0)
    widths = np.diff([*starts, 100_000 / 60])

    assert 30 < width_s <= 60
    assert HALF_LIFE_S / 16 / 60 == pytest.approx(widths.max())
    assert 10 < widths[np.searchsorted(starts, 100_000 / 60 - 60, side="right") - 1] < 30


def test_time_is_divided_without_gaps_or_overlaps():
    """Each row counts once."""
    times = np.arange(0, 100_000, 100.0)
    sums = SPANS.summed("x", ["a"] * len(times), times, np.ones((len(times), 1)))
    found = SPANS.folded("x", sums, 1e5).parts
    total = sum(int(values[0]) for values in found.values())

    assert len(times) * 2**32 == total
    assert len(found) < 40


@given(TIMES, NOW, NOW)
def test_folding_now_and_then_is_folding_at_the_end(times, one, other):
    """What was put together earlier is what would have been put together later."""
    early, late = sorted((one, other))

    assert SPANS.folded("x", SPANS.folded("x", summed(times), early), late) == SPANS.folded("x", summed(times), late)


@given(TIMES, TIMES, NOW, NOW)
def test_replicas_may_fold_when_they_like(mine, others, one, other):
    """Merged in either order, folded at any time before, they read the same, to the bit."""
    now = max(one, other)
    apart = SPANS.folded("x", summed(mine), one) + SPANS.folded("x", summed(others), other)
    together = summed(others) + summed(mine)

    assert read(together, now) == read(apart, now)


@given(TIMES, TIMES, NOW)
def test_what_is_taken_back_after_folding_leaves_no_trace(kept, gone, now):
    """Whatever spans it has gone into by then."""
    folded = SPANS.folded("x", summed(kept) + summed(gone), now)

    assert SPANS.folded("x", folded - summed(gone), now) == SPANS.folded("x", summed(kept), now)


def read(sums, now):
    return {
        model: [(start, numbers.tolist()) for start, numbers in stretches]
        for model, stretches in SPANS.faded("x", sums, now).items()
    }


def test_old_spans_count_for_less():
    """Half after the half-life, by the middle of the span; other parts are left alone."""
    sums = summed([0.0]) + Sums.of({"y|0:0|a": [1.0]})
    ((_, numbers),) = SPANS.faded("x", sums, HALF_LIFE_S + HALF_LIFE_S / 32)["a"]

    assert [0.5] == pytest.approx(numbers.tolist())
    assert "y|0:0|a" in SPANS.folded("x", sums, 10 * HALF_LIFE_S).parts


def test_a_short_half_life_has_no_shorter_spans():
    """Sixteen in a half-life are fine enough."""
    assert (0, 10.0) == (Spans(Fading(160.0)).levels, Spans(Fading(160.0)).width_s(0))
