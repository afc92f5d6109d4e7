import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exploration.budget import FRESH_MS, Budgets
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.shared import shared_ledger
from gateway.sharing.link import REST_S, Link
from tests.redis_server import redis_server

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
SOON = NOON + timedelta(milliseconds=2 * FRESH_MS)


async def test_what_is_spent_is_missing_at_once():
    """Nobody has to wait for the ledger."""
    budgets = Budgets(MemoryLedger())
    budgets.spend("auto", 1.25, NOON)

    assert 3.75 == budgets.left_usd("auto", 5.0, NOON)
    await budgets.aclose()
    assert 3.75 == budgets.left_usd("auto", 5.0, NOON)
    await budgets.aclose()


async def test_each_policy_has_a_budget_of_its_own():
    """A policy spends nobody else's."""
    budgets = Budgets(MemoryLedger())
    budgets.spend("auto", 1.0, NOON)

    assert 5.0 == budgets.left_usd("other", 5.0, NOON)
    await budgets.aclose()


async def test_there_is_never_less_than_nothing():
    """What was in flight may have spent more than there was."""
    budgets = Budgets(MemoryLedger())
    budgets.spend("auto", 7.0, NOON)

    assert 0.0 == budgets.left_usd("auto", 5.0, NOON)
    await budgets.aclose()


async def test_the_day_ends_at_midnight_utc():
    """A second before it does not."""
    budgets = Budgets(MemoryLedger())
    budgets.spend("auto", 5.0, NOON)

    assert 0.0 == budgets.left_usd("auto", 5.0, MIDNIGHT - timedelta(seconds=1))
    assert 5.0 == budgets.left_usd("auto", 5.0, MIDNIGHT)
    await budgets.aclose()


@given(st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=30))
def test_nothing_is_lost_or_counted_twice(spends):
    """However spending and telling alternate, what is left is what there was less what was spent."""

    async def run():
        budgets = Budgets(MemoryLedger())
        for nanos, pause in spends:
            budgets.spend("auto", nanos / 1e9, NOON)
            if pause:
                await asyncio.sleep(0)
        left = budgets.left_usd("auto", 100.0, NOON)
        await budgets.aclose()
        return left, budgets.left_usd("auto", 100.0, NOON)

    expected = 100.0 - sum(nanos for nanos, _ in spends) / 1e9
    # Each is rounded up to the next nano-dollar.
    assert (pytest.approx(expected, abs=1e-7),) * 2 == asyncio.run(run())


@asynccontextmanager
async def replicas(redis, *names):
    """Open the budgets of replicas that share a Redis."""
    links = [Link(redis.url, prefix="t", timeout_s=1.0) for _ in names]
    ledgers = [shared_ledger(link, replica=name, away="open") for link, name in zip(links, names, strict=True)]
    budgets = [Budgets(ledger) for ledger in ledgers]
    try:
        yield list(zip(budgets, ledgers, strict=True))
    finally:
        for one in budgets:
            await one.aclose()
        for link in links:
            await link.aclose()


async def test_replicas_share_a_budget(tmp_path):
    """What one has spent the other knows when it has asked."""
    with redis_server(tmp_path) as redis:
        async with replicas(redis, "a", "b") as ((a, _), (b, _)):
            a.spend("auto", 2.0, NOON)
            await a.aclose()
            b.spend("auto", 1.0, NOON)
            await b.aclose()
            a.left_usd("auto", 5.0, SOON)  # what it knows is old by now, so it asks
            await a.aclose()

            assert (2.0, 2.0) == (a.left_usd("auto", 5.0, SOON), b.left_usd("auto", 5.0, NOON))


async def test_what_is_spent_while_redis_is_away_is_told_when_it_is_back(tmp_path):
    """Meanwhile it counts here."""
    with redis_server(tmp_path) as redis:
        async with replicas(redis, "a", "b") as ((a, ledger), (b, _)):
            redis.stop()
            a.spend("auto", 2.0, NOON)
            await a.aclose()
            assert 3.0 == a.left_usd("auto", 5.0, NOON)
            redis.start()
            await asyncio.sleep(REST_S + 0.05)
            await ledger.tend(int(SOON.timestamp() * 1000), {})
            b.left_usd("auto", 5.0, SOON)
            await b.aclose()

            assert 3.0 == b.left_usd("auto", 5.0, SOON)
