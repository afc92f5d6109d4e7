"""Both ends of a real pair of sockets."""

from __future__ import annotations

import asyncio

import pytest

from gateway.workers.channel import ChannelClosed
from tests.gateway.workers.pairs import joined


async def test_questions_are_answered():
    """At once or later, many at a time, whatever comes back first."""

    async def later(number):
        await asyncio.sleep(0.001 * (10 - number))
        return number

    async with joined({"now": lambda *parts: [*parts], "later": later}) as channel:
        assert ["a\n", None, 1.5, {"b": [1]}] == await channel.ask("now", "a\n", None, 1.5, {"b": [1]})
        assert [*range(10)] == await asyncio.gather(*(channel.ask("later", number) for number in range(10)))


async def test_long_answers_come_whole():
    """Longer by far than what is read at a time, several in a row."""
    async with joined({"repeat": lambda text, times: text * times}) as channel:
        found = await asyncio.gather(*(channel.ask("repeat", text, 3_000_000) for text in "abc"))

    assert ["a" * 3_000_000, "b" * 3_000_000, "c" * 3_000_000] == found


async def test_what_comes_is_done_in_order():
    """What is answered at once is done as it came, though nobody waits in between."""
    seen = []
    async with joined({"note": seen.append}) as channel:
        await asyncio.gather(*(channel.ask("note", number) for number in range(100)))

    assert [*range(100)] == seen


async def test_who_waits_for_one_that_is_gone_hears_so():
    """Those who wait at that moment, and those who ask afterwards."""

    async def never():
        await asyncio.Event().wait()

    async with joined({"never": never, "now": lambda: 1}) as channel:
        waiting = asyncio.ensure_future(channel.ask("never"))
        await channel.ask("now")
        channel.close()
        with pytest.raises(ChannelClosed):
            await waiting
        with pytest.raises(ChannelClosed):
            await channel.ask("now")
        await channel.ended


async def test_whoever_gives_up_leaves_the_others_their_answers():
    """An answer that comes late is nobody's."""
    gate = asyncio.Event()

    async def slow():
        await gate.wait()
        return "late"

    async with joined({"slow": slow, "now": lambda: "now"}) as channel:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await channel.ask("slow")
        gate.set()
        assert "now" == await channel.ask("now")
        assert {} == channel._asked
