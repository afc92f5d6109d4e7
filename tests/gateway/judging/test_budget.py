from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.judging.budget import LocalBudget
from gateway.judging.shared_budget import SharedBudget
from gateway.sharing.link import Link
from tests.redis_server import redis_server

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
#: Hours after noon, what is reserved, and which part of it is spent.
STEPS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1)), max_size=20)


@given(STEPS)
def test_no_day_costs_more_than_it_may(steps):
    """Whatever is reserved and settled, in whatever order the days come."""

    async def play():
        budget, spent = LocalBudget(), {}
        for hours, amount, part in sorted(steps):
            at = NOON + timedelta(hours=hours)
            if await budget.reserve(amount, 100, at):
                await budget.settle(amount, used := int(amount * part), at)
                spent[at.date()] = spent.get(at.date(), 0) + used
        return spent

    assert all(used <= 100 for used in asyncio.run(play()).values())


async def test_a_new_day_begins_with_nothing_spent():
    """What is settled late belongs to the day on which it was reserved."""
    budget = LocalBudget()
    tomorrow = NOON + timedelta(days=1)

    assert await budget.reserve(80, 100, NOON)
    assert not await budget.reserve(30, 100, NOON)
    assert await budget.reserve(100, 100, tomorrow)
    await budget.settle(80, 0, NOON)
    assert 100 == budget.used
    assert not await budget.reserve(1, 100, NOON)


async def test_replicas_reserve_from_one_sum(tmp_path):
    """However many reserve at once; while Redis is away, nobody does."""
    with redis_server(tmp_path) as redis:
        links = [Link(redis.url, prefix="t", timeout_s=5) for _ in range(2)]
        budgets = [SharedBudget(link) for link in links]
        won = await asyncio.gather(*(budgets[n % 2].reserve(30, 100, NOON) for n in range(10)))
        await budgets[0].settle(30, 10, NOON)
        again = [await budgets[1].reserve(30, 100, NOON), await budgets[1].reserve(1, 100, NOON)]

        assert (3, [True, False]) == (sum(won), again)
        redis.kill()
        assert not await budgets[0].reserve(0, 100, NOON)
        await budgets[0].settle(30, 10, NOON)
        for link in links:
            await link.aclose()
