from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from gateway.signals.time_window import Time, Window
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal

OFFICE = Window("office", time(8), time(17, 30), ("mon", "tue", "wed", "thu", "fri"))
NIGHT = Window("night", time(22), time(6), ("fri",))


def at(written, zone="UTC", windows=()):
    moment = datetime.fromisoformat(written).replace(tzinfo=UTC)
    return Time(zone=zone, windows=windows).read(request({"messages": []}, at=moment), None)


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Time(zone="Asia/Kathmandu", windows=[OFFICE, NIGHT]))


@pytest.mark.parametrize(
    ("zone", "hour", "day"),
    [
        ("UTC", 23.5, "fri"),
        ("Europe/Berlin", 1.5, "sat"),
        ("America/New_York", 19.5, "fri"),
        ("Asia/Kathmandu", 5.25, "sat"),
    ],
)
def test_the_hour_and_the_day_are_those_of_the_zone(zone, hour, day):
    """With daylight saving where there is any."""
    features = at("2026-07-03T23:30:00", zone)

    assert (hour, day) == (features["time.hour"], features["time.weekday"])


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("2026-07-03T07:59:59", ()),  # a Friday
        ("2026-07-03T08:00:00", ("office",)),
        ("2026-07-03T17:29:59", ("office",)),
        ("2026-07-03T17:30:00", ()),
        ("2026-07-04T09:00:00", ()),
        ("2026-07-03T22:00:00", ("night",)),
        ("2026-07-04T05:59:59", ("night",)),
        ("2026-07-04T06:00:00", ()),
        ("2026-07-03T01:00:00", ()),
        ("2026-07-04T23:00:00", ()),
    ],
)
def test_a_window_holds_from_its_start_to_before_its_end(written, names):
    """One that passes midnight belongs to the day on which it began."""
    assert names == at(written, windows=[OFFICE, NIGHT])["time.windows"]


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("2026-12-23T23:59:00", False),
        ("2026-12-24T22:30:00", True),
        ("2026-12-27T05:00:00", True),
        ("2026-12-27T22:30:00", False),
    ],
)
def test_dates_say_on_which_days_a_window_may_begin(written, holds):
    """The night that began on the last day goes on."""
    window = Window("holidays", time(22), time(6), first=date(2026, 12, 24), last=date(2026, 12, 26))

    assert holds == bool(at(written, windows=[window])["time.windows"])


def test_a_window_of_equal_ends_lasts_a_whole_day():
    """From then to the same time of the next day."""
    window = Window("day", time(12), time(12), ("fri",))

    assert [(), ("day",), ("day",), ()] == [
        at(written, windows=[window])["time.windows"]
        for written in ("2026-07-03T11:59:59", "2026-07-03T12:00:00", "2026-07-04T11:59:59", "2026-07-04T12:00:00")
    ]


def test_a_window_goes_by_the_clock_when_that_is_put_forward():
    """At half past two on that night no clock in Berlin says half past two."""
    window = Window("early", time(2), time(3))

    assert () == at("2026-03-29T01:30:00", "Europe/Berlin", [window])["time.windows"]
    assert ("early",) == at("2026-10-25T00:30:00", "Europe/Berlin", [window])["time.windows"]
    assert ("early",) == at("2026-10-25T01:30:00", "Europe/Berlin", [window])["time.windows"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "Europe", "a\x00b"])
def test_a_zone_that_is_none_is_refused(zone):
    """With an example of one that is."""
    with pytest.raises(ValueError, match="Europe/Berlin"):
        Time(zone=zone)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"days": ("monday",)}, "the days are mon"),
        ({"days": ()}, "has no days"),
        ({"first": date(2026, 2, 1), "last": date(2026, 1, 1)}, "before it begins"),
    ],
)
def test_a_window_that_nothing_can_fall_into_is_refused(options, message):
    """When it is configured."""
    with pytest.raises(ValueError, match=message):
        Window("never", time(1), time(2), **options)
