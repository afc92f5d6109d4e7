from __future__ import annotations

import pytest

from gateway.quotas.headers import Left, duration, limit_headers


@pytest.mark.parametrize(
    ("span_ms", "written"),
    [
        (-5, "0ms"),
        (0, "0ms"),
        (120, "120ms"),
        (999, "999ms"),
        (1000, "1s"),
        (1001, "2s"),
        (59_001, "1m0s"),
        (360_000, "6m0s"),
        (3_725_000, "1h2m5s"),
    ],
)
def test_durations_are_written_as_openai_does(span_ms, written):
    """Never less than it is."""
    assert written == duration(span_ms)


def test_of_several_limits_the_tightest_is_told():
    """For each unit by itself; without a limit there is no header."""
    limits = [Left("requests", 60, 9, 1000), Left("requests", 10, 2, 2000), Left("requests", 99, 50, 3000)]

    assert {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "2s",
    } == limit_headers(limits)
    assert {} == limit_headers([])
