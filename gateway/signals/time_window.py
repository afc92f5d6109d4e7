"""When a request came: the hour and the day where the user is, and the windows that they fall into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.signals.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, time

    from gateway.signals.base import Request
    from routers.types import Feature, FloatArray

#: The days of the week, Monday first.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """A part of some days, under a name: from `start` to before `end`, of the zone's own clock.

    Where `end` is not later than `start`, the window passes midnight, and its later part belongs to the day on which
    it began; where they are equal, it lasts a whole day. `first` and `last` are the dates on which it may begin.
    Raises `ValueError` for days that are none, and for dates in the wrong order.
    """

    name: str
    start: time
    end: time
    days: tuple[str, ...] = DAYS
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        """Refuse what no time can fall into."""
        if strangers := [day for day in self.days if day not in DAYS]:
            raise ValueError(f"the window {self.name!r} has the day {strangers[0]!r}: the days are {', '.join(DAYS)}")
        if not self.days:
            raise ValueError(f"the window {self.name!r} has no days: name some of {', '.join(DAYS)}")
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"the window {self.name!r} ends on {self.last}, before it begins on {self.first}")

    def holds(self, local: datetime) -> bool:
        """Tell whether a local time falls into it."""
        clock = local.time()
        if self.start < self.end:
            return self.start <= clock < self.end and self._begins_on(local.date())
        if clock >= self.start:
            return self._begins_on(local.date())
        return clock < self.end and self._begins_on(local.date() - timedelta(days=1))

    def _begins_on(self, day: date) -> bool:
        if DAYS[day.weekday()] not in self.days:
            return False
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Time:
    """Gives `time.hour` (0 to 24, with minutes as a fraction), `time.weekday`, and the names of the `windows`.

    Raises `ValueError` for a zone that is not known.
    """

    name = "time"
    reads_embedding = False
    blocking = False
    provides: ClassVar[Mapping[str, Kind]] = {
        "time.hour": Kind.NUMBER,
        "time.weekday": Kind.TEXT,
        "time.windows": Kind.TEXTS,
    }

    def __init__(self, *, zone: str = "UTC", windows: Sequence[Window] = ()) -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"the time zone {zone!r} is not known: write one of the IANA database, such as 'Europe/Berlin' or 'UTC'"
            ) from error
        self._windows = tuple(windows)

    def read(self, request: Request, _embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return the local time, and the windows in the order of the configuration."""
        local = request.at.astimezone(self._zone)
        return {
            "time.hour": local.hour + local.minute / 60 + local.second / 3600,
            "time.weekday": DAYS[local.weekday()],
            "time.windows": tuple(window.name for window in self._windows if window.holds(local)),
        }
