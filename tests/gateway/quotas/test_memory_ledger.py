from __future__ import annotations

from gateway.quotas.ledger import KEPT_MS, Claim, Level, Reservation
from gateway.quotas.memory_ledger import SWEEP_MS, MemoryLedger


def reservation(id_, counter, until_ms):
    return Reservation(id_, (Claim(counter, 1, 10**6, until_ms),), 10**12)


async def test_memory_holds_only_what_goes_on():
    """Counters of windows that are over, those that count nothing, and what expired long ago are forgotten."""
    ledger = MemoryLedger(ttl_ms=1000)
    for n in range(100):
        await ledger.reserve(reservation(f"lost-{n}", f"lost-{n}", 5000), n)
        await ledger.reserve(reservation(f"used-{n}", f"used-{n}", 5000), n)
        await ledger.settle(reservation(f"used-{n}", f"used-{n}", 5000), [1], n)
    await ledger.tend(5000, {})
    assert 100 == len(ledger.lapsed)
    await ledger.reserve(reservation("late", "late", KEPT_MS + 9 * SWEEP_MS), KEPT_MS + 2 * SWEEP_MS)
    await ledger.settle(reservation("late", "late", KEPT_MS + 9 * SWEEP_MS), [1], KEPT_MS + 2 * SWEEP_MS)

    assert ["late"] == list(ledger._counters)
    assert ([], []) == (list(ledger.open), list(ledger.lapsed))
    assert Level(1, 0) == ledger.known("late")


async def test_a_ledger_may_begin_where_another_stood():
    """What was used before is there from the first look on, and counts once."""
    ledger = MemoryLedger(opening=lambda counter: 5 if counter == "a" else 0)
    assert [Level(5, 0), Level()] == [ledger.known(counter) for counter in "ab"]
    one = Reservation("1", (Claim("a", 4, 10, 10**9), Claim("b", 4, 10, 10**9)), 10**12)
    await ledger.reserve(one, 0)
    assert ledger.close(one, [1, 1], 0)
    assert not ledger.close(one, [1, 1], 0)

    assert [Level(6, 0), Level(1, 0)] == [ledger.known(counter) for counter in "ab"]
    answer = await ledger.reserve(Reservation("2", (Claim("a", 5, 10, 10**9),), 10**12), SWEEP_MS)
    assert (True,) == answer.refused
