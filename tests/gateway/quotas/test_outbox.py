from __future__ import annotations

from gateway.quotas.ledger import KEPT_MS, Claim, Reservation
from gateway.quotas.messages import Addition, Forgetting, Holding, Sum
from gateway.quotas.outbox import BATCH, Outbox


def reservation(id_, *counters, until_ms=KEPT_MS + 5000):
    return Reservation(id_, tuple(Claim(counter, 1, 10, until_ms) for counter in counters), 10**6)


def test_messages_are_told_in_order_a_batch_at_a_time():
    """What was told is dropped, what was not stays, under the name that it had."""
    outbox = Outbox("r")
    outbox.forget("x")
    outbox.held(reservation("y", "a"), 7)
    told = outbox.head()

    assert (Forgetting("x", "r-0"), Holding(reservation("y", "a"), 7, "r-1")) == told == outbox.head()
    outbox.drop(1)
    assert told[1:] == outbox.head()
    for n in range(2 * BATCH):
        outbox.forget(str(n))
    assert (BATCH, 2 * BATCH + 1) == (len(outbox.head()), len(outbox))


def test_what_was_used_becomes_one_sum_for_each_counter():
    """However many requests it was; sums are sealed once, and in batches."""
    outbox = Outbox("r")
    for _ in range(3):
        outbox.used(reservation("z", "a", "b"), [2, 0])
    outbox.seal()
    outbox.seal()

    assert (Addition((Sum("a", 6, 0, KEPT_MS + 5000),), "r-0"),) == outbox.head()
    outbox.used(reservation("z", *map(str, range(BATCH + 1))), [1] * (BATCH + 1))
    outbox.seal()
    assert [1, BATCH, 1] == [len(message.sums) for message in outbox.head()]


def test_windows_that_are_over_are_forgotten():
    """Nobody asks any more how full they are."""
    outbox = Outbox("r")
    outbox.used(reservation("z", "over"), [1])
    outbox.used(reservation("z", "on", until_ms=KEPT_MS + 5001), [1])
    outbox.sweep(5000)
    outbox.seal()

    assert (Addition((Sum("on", 1, 0, KEPT_MS + 5001),), "r-0"),) == outbox.head()
