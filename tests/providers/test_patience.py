from __future__ import annotations

import asyncio
import time

import pytest

from providers.patience import Patience, Silence


class Waited:
    """A patience, and what it said, each with the seconds since the beginning."""

    def __init__(self, gap_s: float, left_s: float = 60.0) -> None:
        self.began = time.monotonic()
        self.said: list[tuple[float, str]] = []
        self.patience = Patience(gap_s, self.began + left_s, self._interrupt)

    def _interrupt(self, silence: Silence) -> None:
        self.said.append((time.monotonic() - self.began, str(silence)))


async def test_silence_is_counted_from_the_last_piece():
    """The timer is not moved, and yet it is not early."""
    waited = Waited(0.2)
    for _ in range(4):
        waited.patience.begin()
        await asyncio.sleep(0.1)
        assert [] == waited.said
        waited.patience.pause()
    waited.patience.begin()
    await asyncio.sleep(0.5)

    ((after_s, said),) = waited.said
    assert after_s >= 0.4 + 0.2
    assert "sent nothing more within 0.2 s" == said


async def test_nobody_is_told_who_does_not_wait():
    """And the next wait has all its time."""
    waited = Waited(0.1)
    waited.patience.begin()
    waited.patience.pause()
    await asyncio.sleep(0.25)
    waited.patience.begin()
    begun_s = time.monotonic() - waited.began
    await asyncio.sleep(0.25)

    ((after_s, _),) = waited.said
    assert after_s - begun_s >= 0.1


async def test_the_deadline_ends_a_wait_sooner():
    """A wait may last as long as is left; after that there is none."""
    waited = Waited(5.0, left_s=0.2)
    waited.patience.begin()
    await asyncio.sleep(0.4)

    assert ["sent nothing more within 0.2 s"] == [said for _, said in waited.said]
    with pytest.raises(Silence, match="did not end the stream in time"):
        waited.patience.begin()


async def test_an_end_is_the_end():
    """Nothing is told after it, and ending twice is harmless."""
    waited = Waited(0.05)
    waited.patience.begin()
    waited.patience.end()
    waited.patience.end()
    await asyncio.sleep(0.15)

    assert [] == waited.said
