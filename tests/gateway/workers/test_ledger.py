"""Ledgers of two workers, over one table; that each of them is a ledger, tests/gateway/quotas shows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.quotas.errors import QuotasUnavailable
from gateway.quotas.ledger import TTL_MS, Claim, Level, Reservation
from gateway.quotas.windows import milliseconds
from gateway.workers.ledger import TeamLedger
from gateway.workers.table import Table
from tests.gateway.workers.pairs import joined

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOW_MS = milliseconds(NOW)


def reservation(ledger, amount=1, limit=10):
    claim = Claim("c", amount, limit, NOW_MS + 10**9)
    return Reservation(ledger.new_id(), (claim,), NOW_MS + 10**8)


@pytest.fixture
async def table():
    return Table()


@pytest.fixture
async def two(table):
    async with joined(table.answering) as one, joined(table.answering) as other:
        yield TeamLedger(one, "one"), TeamLedger(other, "other")


async def test_no_more_than_the_limit_is_granted_to_all_together(two):
    """However they ask at the same time."""
    answers = await asyncio.gather(*(one.reserve(reservation(one), NOW_MS) for one in two * 20))

    assert 10 == sum(answer.granted for answer in answers)


async def test_each_hears_what_the_others_have_used(two):
    """With its own answers, and when it looks."""
    one, other = two
    held = reservation(one, 4)
    await one.reserve(held, NOW_MS)
    await one.settle(held, (3,), NOW_MS)
    assert (Level(3, 0), Level()) == (one.known("c"), other.known("c"))
    await other.tend(NOW_MS, {"c": NOW_MS + 1000})
    assert Level(3, 0) == other.known("c")


async def test_what_a_worker_held_that_has_died_comes_back(table, two):
    """At once, and only that; what it had used stays."""
    one, other = two
    used, held, others = reservation(one, 1), reservation(one, 3), reservation(other, 2)
    for ledger, wanted in ((one, used), (one, held), (other, others)):
        await ledger.reserve(wanted, NOW_MS)
    await one.settle(used, (1,), NOW_MS)
    table.forget("one", NOW)
    await other.tend(NOW_MS, {"c": NOW_MS + 1000})

    assert Level(1, 2) == other.known("c")


async def test_what_is_open_is_renewed_by_whoever_tends_it(two):
    """However long it lasts, up to its own end."""
    one, other = two
    await one.reserve(reservation(one, 3), NOW_MS)
    for beat in range(1, 10):
        await other.tend(NOW_MS + beat * TTL_MS // 2, {"c": NOW_MS + 1000})
    assert Level(0, 3) == other.known("c")
    await other.tend(NOW_MS + 10**8, {"c": NOW_MS + 1000})
    assert Level(0, 0) == other.known("c")


async def test_who_gives_up_waiting_holds_nothing(two):
    """The parent may have granted it before it hears so."""
    one, _ = two
    asking = asyncio.ensure_future(one.reserve(reservation(one, 3), NOW_MS))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.gather(*one._forgetting)
    await one.tend(NOW_MS, {"c": NOW_MS + 1000})

    assert Level(0, 0) == one.known("c")


async def test_who_gives_up_a_move_holds_what_it_held(two):
    """It is settled by whoever holds the grant."""
    one, _ = two
    held = reservation(one, 3)
    await one.reserve(held, NOW_MS)
    asking = asyncio.ensure_future(one.reserve(held, NOW_MS))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await one.tend(NOW_MS, {"c": NOW_MS + 1000})

    assert Level(0, 3) == one.known("c")


async def test_without_a_parent_nothing_passes(table):
    """And what is settled is nobody's any more."""
    async with joined(table.answering) as channel:
        ledger = TeamLedger(channel, "one")
        held = reservation(ledger)
        await ledger.reserve(held, NOW_MS)
        channel.close()
        await channel.ended
        await ledger.settle(held, (1,), NOW_MS)
        await ledger.tend(NOW_MS, {"c": NOW_MS + 1000})
        with pytest.raises(QuotasUnavailable):
            await ledger.reserve(reservation(ledger), NOW_MS)
