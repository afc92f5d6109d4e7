import asyncio

import pytest

from gateway.endpoints.concurrency import ConcurrencyLimit
from gateway.endpoints.gate import Gate, NoRoom


def gate(most: int = 1, queue: int = 10, queue_s: float = 5.0) -> Gate:
    return Gate(ConcurrencyLimit(most=most, adapts=False), queue, queue_s)


async def entered(one: Gate, name: str, order: list[str], priority: int = 0, left_s: float = 5.0) -> None:
    await one.wait(priority, left_s)
    order.append(name)
    await asyncio.sleep(0)
    one.leave()


async def test_who_comes_first_goes_first():
    """And higher priority before that."""
    one, order = gate(), []
    await one.wait(0, 1)
    tasks = [
        asyncio.create_task(entered(one, name, order, priority))
        for name, priority in [("a", 0), ("b", 0), ("urgent", 1), ("late", -1), ("c", 0)]
    ]
    await asyncio.sleep(0)
    assert 5 == one.waiting
    one.leave()
    await asyncio.gather(*tasks)

    assert ["urgent", "a", "b", "c", "late"] == order
    assert (0, True) == (one.in_flight, one.has_room)


async def test_a_full_queue_sends_away_who_is_last():
    """Whoever comes, unless it goes first: then the last of those that wait."""
    one, order = gate(queue=1), []
    await one.wait(0, 1)
    first = asyncio.create_task(entered(one, "first", order))
    await asyncio.sleep(0)
    with pytest.raises(NoRoom, match="1 requests wait already"):
        await one.wait(0, 1)
    urgent = asyncio.create_task(entered(one, "urgent", order, priority=1))
    with pytest.raises(NoRoom, match="higher priority"):
        await first
    one.leave()
    await urgent

    assert ["urgent"] == order


@pytest.mark.parametrize(("queue_s", "left_s"), [(0.02, 5.0), (5.0, 0.02)])
async def test_waiting_ends(queue_s, left_s):
    """After the queue's time, or the request's."""
    one = gate(queue_s=queue_s)
    await one.wait(0, 1)
    with pytest.raises(NoRoom, match=r"no room within 0\.02 s"):
        await one.wait(0, left_s)

    assert (1, 0) == (one.in_flight, one.waiting)


async def test_who_leaves_the_queue_makes_room():
    """Also in the very moment in which it is let in: nothing leaks."""
    one = gate()
    await one.wait(0, 1)
    waiting = asyncio.create_task(one.wait(0, 5))
    await asyncio.sleep(0)
    one.leave()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert (0, True) == (one.in_flight, one.has_room)


async def test_nothing_leaks_under_chance():
    """Hundreds that come, give up and leave at random moments: at the end nobody is in, and nobody waits."""
    one = gate(most=3, queue=20, queue_s=0.01)

    async def visit(n: int) -> None:
        try:
            await one.wait(n % 3, 0.001 * (n % 11))
        except NoRoom:
            return
        try:
            await asyncio.sleep(0.0005 * (n % 5))
        finally:
            one.leave()

    tasks = [asyncio.create_task(visit(n)) for n in range(400)]
    await asyncio.sleep(0.003)
    for task in tasks[::7]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(None), asyncio.CancelledError} >= {type(result) for result in results}
    assert (0, 0) == (one.in_flight, one.waiting)


async def test_a_larger_limit_lets_in_at_once():
    """As when the configuration changes."""
    one = gate(most=1)
    await one.wait(0, 1)
    waiting = asyncio.create_task(one.wait(0, 5))
    await asyncio.sleep(0)
    one.resize(gate(most=2, queue=5, queue_s=1.0))
    await waiting

    assert (2, 5, 1.0) == (one.in_flight, one.queue, one.queue_s)
