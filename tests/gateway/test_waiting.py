import asyncio
from contextlib import aclosing, suppress

import pytest

from gateway.waiting import COMMENT, Waiting

#: No test waits for it.
LONG_S = 60.0
SHORT_S = 0.01


class Dropped:
    """Notes what cut a waiting short."""

    def __init__(self):
        self.cuts = []

    async def __call__(self, cut):
        self.cuts.append((type(cut), cut.args))


class Work:
    """Work that ends when it is let, and notes how it ended."""

    def __init__(self, error=None):
        self.go, self.cut, self.error = asyncio.Event(), None, error

    async def __call__(self):
        try:
            await self.go.wait()
        except asyncio.CancelledError as cut:
            self.cut = cut.args
            raise
        if self.error:
            raise self.error


async def test_an_answer_that_comes_soon_is_as_ever():
    """Nothing has been said."""
    work = Work()
    work.go.set()

    assert await Waiting(work(), LONG_S, Dropped()).soon() is True


async def test_an_error_that_comes_soon_is_raised():
    """It can still have its own status."""
    work = Work(ValueError("no"))
    work.go.set()

    with pytest.raises(ValueError, match="no"):
        await Waiting(work(), LONG_S, Dropped()).soon()


async def test_comments_come_until_the_answer_begins():
    """At once, and each time after a silence."""
    work, heard = Work(), []
    waiting = Waiting(work(), SHORT_S, Dropped())
    assert await waiting.soon() is False
    async for comment in waiting.comments():
        heard.append(comment)
        if len(heard) == 3:
            work.go.set()

    assert [COMMENT] * 3 == heard


async def test_a_late_error_ends_the_comments():
    """Whoever sends them tells the client of it."""
    work = Work(ValueError("no"))
    waiting = Waiting(work(), SHORT_S, Dropped())
    await waiting.soon()

    async def listen():
        async for _ in waiting.comments():
            work.go.set()

    with pytest.raises(ValueError, match="no"):
        await listen()


async def test_work_that_nobody_waits_for_is_given_up():
    """The client has left while nothing was said."""
    work, dropped = Work(), Dropped()
    waiting = Waiting(work(), SHORT_S, dropped)
    await waiting.soon()
    async with aclosing(waiting.comments()) as comments:
        assert COMMENT == await anext(comments)

    assert ((), [(GeneratorExit, ())]) == (work.cut, dropped.cuts)


@pytest.mark.parametrize("early", [True, False])
async def test_work_is_cut_for_the_same_reason(early):
    """A gateway that stops is not a client that left."""
    work, dropped = Work(), Dropped()
    waiting = Waiting(work(), LONG_S if early else SHORT_S, dropped)

    async def wait():
        await waiting.soon()
        async with aclosing(waiting.comments()) as comments:
            async for _ in comments:
                pass

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0.1)
    task.cancel("the reason")
    with suppress(asyncio.CancelledError):
        await task

    assert ("the reason",) == work.cut
    assert [(asyncio.CancelledError, ("the reason",))] == dropped.cuts


async def test_an_answer_that_begins_as_the_client_leaves_is_dropped():
    """Nobody relays it, so somebody has to end it."""
    work, dropped = Work(), Dropped()
    waiting = Waiting(work(), SHORT_S, dropped)
    await waiting.soon()
    async with aclosing(waiting.comments()) as comments:
        await anext(comments)
        work.go.set()
        await asyncio.sleep(0.05)

    assert (None, [(GeneratorExit, ())]) == (work.cut, dropped.cuts)
