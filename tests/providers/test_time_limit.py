from __future__ import annotations

import asyncio
import weakref

import pytest

from providers.time_limit import TimeLimit

SHORT_S, LONG_S = 0.02, 30


async def test_what_is_done_in_time_is_not_disturbed():
    """Neither then nor afterwards."""
    with TimeLimit(SHORT_S):
        await asyncio.sleep(0)

    await asyncio.sleep(3 * SHORT_S)


async def test_what_takes_longer_is_cut_short():
    """With an error that says so, and the task can go on."""
    with pytest.raises(TimeoutError), TimeLimit(SHORT_S):
        await asyncio.sleep(LONG_S)

    await asyncio.sleep(0)
    assert 0 == asyncio.current_task().cancelling()


async def test_the_time_can_be_counted_anew():
    """What comes in pieces is in time as long as each of them is."""
    with TimeLimit(5 * SHORT_S) as limit:
        for _ in range(4):
            await asyncio.sleep(2 * SHORT_S)
            limit.again()


async def test_the_nearer_of_two_limits_is_the_one_that_expires():
    """The outer one does not take the inner one's error for its own, nor the other way round."""
    with TimeLimit(LONG_S):
        with pytest.raises(TimeoutError), TimeLimit(SHORT_S):
            await asyncio.sleep(LONG_S)
        await asyncio.sleep(0)

    with pytest.raises(TimeoutError), TimeLimit(SHORT_S), TimeLimit(LONG_S):
        await asyncio.sleep(LONG_S)


async def test_a_cancellation_from_elsewhere_is_one():
    """Also where the time expires at the very same moment."""
    begun = asyncio.Event()

    async def work():
        with TimeLimit(SHORT_S):
            begun.set()
            await asyncio.sleep(LONG_S)

    for wait_s in (0, SHORT_S):
        begun.clear()
        task = asyncio.ensure_future(work())
        await begun.wait()
        if wait_s:
            asyncio.get_running_loop().call_later(wait_s, task.cancel)
        else:
            task.cancel()
        with pytest.raises((asyncio.CancelledError, TimeoutError)) as raised:
            await task
        assert wait_s or raised.type is asyncio.CancelledError


async def test_other_errors_pass():
    """As they are."""
    with pytest.raises(KeyError), TimeLimit(LONG_S):
        raise KeyError("other")


def test_it_is_for_tasks_only():
    """Nobody else can be cancelled."""
    with pytest.raises(RuntimeError, match="event loop"), TimeLimit(LONG_S):
        pass


async def test_nobody_is_kept_alive_by_a_limit_that_was_kept():
    """Neither the task nor what it has in hand: alarms are used again."""

    class Hand:
        """Something that can be waited to be gone."""

    async def work() -> weakref.ref[Hand]:
        hand = Hand()
        with TimeLimit(LONG_S):
            await asyncio.sleep(0)
        return weakref.ref(hand)

    assert (await asyncio.create_task(work()))() is None


def test_each_loop_has_alarms_of_its_own():
    """One that was used by a loop that has ended would never ring."""
    for _ in range(2):
        asyncio.run(test_what_takes_longer_is_cut_short())
        asyncio.run(test_the_nearer_of_two_limits_is_the_one_that_expires())
