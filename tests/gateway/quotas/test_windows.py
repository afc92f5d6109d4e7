from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.quotas.windows import Window, milliseconds, window_at

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given UTC
KINDS = st.sampled_from(["minute", "hour", "day", "month"])


def span(first, last):
    return Window(milliseconds(first), milliseconds(last))


@pytest.mark.parametrize(
    ("kind", "at", "first", "last"),
    [
        (
            "minute",
            datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
            datetime(2026, 2, 28, 23, 59, tzinfo=UTC),
            datetime(2026, 3, 1, tzinfo=UTC),
        ),
        (
            "hour",
            datetime(2026, 2, 28, 23, 0, tzinfo=UTC),
            datetime(2026, 2, 28, 23, tzinfo=UTC),
            datetime(2026, 3, 1, tzinfo=UTC),
        ),
        (
            "day",
            datetime(2028, 2, 29, 1, tzinfo=UTC),
            datetime(2028, 2, 29, tzinfo=UTC),
            datetime(2028, 3, 1, tzinfo=UTC),
        ),
        (
            "month",
            datetime(2028, 2, 29, 1, tzinfo=UTC),
            datetime(2028, 2, 1, tzinfo=UTC),
            datetime(2028, 3, 1, tzinfo=UTC),
        ),
        (
            "month",
            datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_windows_are_the_calendars(kind, at, first, last):
    """A window begins at its first moment and ends before the next one's."""
    assert span(first, last) == window_at(kind, milliseconds(at))


@given(KINDS, MOMENTS)
def test_windows_follow_each_other_without_a_gap(kind, at):
    """Each moment is in one window; where that ends the next one begins."""
    now_ms = milliseconds(at)
    window = window_at(kind, now_ms)

    assert window.start_ms <= now_ms < window.end_ms
    assert window == window_at(kind, window.start_ms) == window_at(kind, window.end_ms - 1)
    assert window.end_ms == window_at(kind, window.end_ms).start_ms


def test_a_moment_needs_a_time_zone():
    """The clock on the wall is no moment; one elsewhere is the same as in UTC."""
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert milliseconds(noon) == milliseconds(noon.astimezone())
    assert 86_400_000 == milliseconds(noon + timedelta(days=1)) - milliseconds(noon)
    with pytest.raises(ValueError, match="no time zone"):
        milliseconds(noon.replace(tzinfo=None))
