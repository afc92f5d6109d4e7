from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from providers.alarm import Alarm

SHORT_S, LONG_S = 0.05, 30


class Bell:
    """Notes when it was rung."""

    def __init__(self) -> None:
        self.began = asyncio.get_running_loop().time()
        self.rung: list[float] = []

    def ring(self) -> None:
        self.rung.append(asyncio.get_running_loop().time() - self.began)


@pytest.fixture
async def bell() -> Bell:
    return Bell()


@pytest.fixture
async def alarm(bell):
    alarm = Alarm(asyncio.get_running_loop(), bell.ring)
    yield alarm
    alarm.end()


async def test_it_rings_once_when_it_is_due(alarm, bell):
    """And not again."""
    alarm.set(SHORT_S)
    await asyncio.sleep(4 * SHORT_S)

    (rung,) = bell.rung
    assert SHORT_S - 0.002 <= rung


@pytest.mark.parametrize("leave", [Alarm.stop, Alarm.end])
async def test_what_is_stopped_does_not_ring(alarm, bell, leave):
    """Whether it will be set again or not."""
    alarm.set(SHORT_S)
    leave(alarm)
    await asyncio.sleep(3 * SHORT_S)

    assert [] == bell.rung


@pytest.mark.parametrize("stopped", [False, True])
async def test_what_is_set_anew_rings_later(alarm, bell, stopped):
    """At the time that was said last, though the timer was set for an earlier one."""
    alarm.set(SHORT_S)
    if stopped:
        alarm.stop()
    alarm.set(4 * SHORT_S)
    await asyncio.sleep(2 * SHORT_S)
    assert [] == bell.rung
    await asyncio.sleep(4 * SHORT_S)

    (rung,) = bell.rung
    assert 4 * SHORT_S - 0.002 <= rung


@pytest.mark.parametrize("stopped", [False, True])
async def test_what_is_wanted_sooner_rings_sooner(alarm, bell, stopped):
    """A timer that is set for later is in nobody's way, and rings for nobody."""
    alarm.set(4 * SHORT_S)
    if stopped:
        alarm.stop()
    alarm.set(SHORT_S)
    await asyncio.sleep(3 * SHORT_S)
    assert 1 == len(bell.rung)
    await asyncio.sleep(3 * SHORT_S)

    assert 1 == len(bell.rung)


async def test_what_is_hastened_rings_no_later_than_before(alarm, bell):
    """It comes sooner where it was to come later or not at all, and else stays as it is."""
    alarm.hasten(SHORT_S)
    await asyncio.sleep(4 * SHORT_S)
    assert 1 == len(bell.rung)
    alarm.set(SHORT_S)
    alarm.hasten(LONG_S)
    await asyncio.sleep(4 * SHORT_S)
    assert 2 == len(bell.rung)


async def test_it_can_be_set_again_from_its_own_ring(alarm, bell):
    """As it can at any other time."""
    alarm.ring = lambda: (bell.ring(), len(bell.rung) < 3 and alarm.set(SHORT_S))
    alarm.set(SHORT_S)
    await asyncio.sleep(8 * SHORT_S)

    assert 3 == len(bell.rung)


async def test_an_alarm_that_has_ended_keeps_nobody_alive():
    """Neither by its timer nor by a cycle, which only the search for garbage would find."""
    bell = Bell()
    alarm = Alarm(asyncio.get_running_loop(), bell.ring)
    alarm.set(LONG_S)
    gone = weakref.ref(bell)
    gc.disable()
    try:
        alarm.end()
        del bell
        assert gone() is None
    finally:
        gc.enable()
