"""Calendar windows in UTC: the minute, hour, day or month that a moment lies in.

Windows are fixed, not sliding: no more than its amount is ever admitted in one window, and a counter is two numbers.
Across the border of two windows twice the amount may pass within the length of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.quotas.types import WindowKind

DAY_MS = 86_400_000
#: Windows of one length, in milliseconds.
LENGTHS_MS = {"minute": 60_000, "hour": 3_600_000, "day": DAY_MS}


@dataclass(slots=True)
class Window:
    """From `start_ms` until before `end_ms`, in milliseconds since 1970."""

    start_ms: int
    end_ms: int


def milliseconds(at: datetime) -> int:
    """Return a moment in milliseconds since 1970; it has to have a time zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return int(at.timestamp() * 1000)


def window_at(kind: WindowKind, now_ms: int) -> Window:
    """Return the window that a moment lies in."""
    if kind == "month":
        return _month(now_ms // DAY_MS)
    length_ms = LENGTHS_MS[kind]
    start_ms = now_ms - now_ms % length_ms
    return Window(start_ms, start_ms + length_ms)


@lru_cache(maxsize=64)
def _month(day: int) -> Window:
    """Return the month of a day, counted from 1970: it takes longer than all else that a quota needs for a request."""
    at = datetime.fromtimestamp(day * DAY_MS / 1000, UTC)
    start = datetime(at.year, at.month, 1, tzinfo=UTC)
    end = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return Window(milliseconds(start), milliseconds(end))
