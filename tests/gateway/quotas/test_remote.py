from __future__ import annotations

import pytest

from gateway.quotas.ledger import Claim, Level, Reservation
from gateway.quotas.messages import Addition, Forgetting, Holding, Settlement, Sum
from gateway.quotas.remote import Remote
from gateway.sharing.link import Link

NOW_MS = 1_767_225_600_000
UNTIL_MS = NOW_MS + 10**8


def reservation(id_, amount):
    return Reservation(id_, (Claim("a", amount, 100, UNTIL_MS),), NOW_MS + 10**6)


@pytest.fixture
async def remote(shared_redis):
    link = Link(shared_redis.url, prefix="remote:", timeout_s=10)
    await link.ask(lambda redis: redis.flushall())
    yield Remote(link, replica="r")
    await link.aclose()


async def level(remote):
    return (await remote.look(["a"], NOW_MS)).answer.levels[0]


async def test_what_is_told_twice_counts_once(remote):
    """Nobody knows whether a message arrived that was not answered: all may be told again, in the same order."""
    era = (await remote.reserve(reservation("granted", 5), NOW_MS + 1000, NOW_MS)).era
    messages = [
        Forgetting("granted", "m-0"),
        Holding(reservation("granted", 7), NOW_MS + 1000, "m-1"),
        Holding(reservation("settled", 11), NOW_MS + 1000, "m-2"),
        Settlement(reservation("settled", 11), (13,), era),
        Settlement(reservation("elsewhere", 17), (17,), "another era"),
        Addition((Sum("a", 19, 0, UNTIL_MS),), "m-3"),
    ]
    for _ in range(2):
        await remote.tell(messages, NOW_MS)
        assert Level(13 + 17 + 19, 7) == await level(remote)


async def test_the_highest_count_that_anybody_knew_is_restored(remote):
    """Of what was used before a loss; what has been used since counts besides."""
    era = (await remote.reserve(reservation("new", 2), NOW_MS + 1000, NOW_MS)).era
    await remote.tell([Settlement(reservation("new", 2), (2,), era)], NOW_MS)
    for name, lost in (("one", 30), ("two", 50), ("three", 40)):
        await remote.tell([Addition((Sum("a", 1, lost, UNTIL_MS),), name)], NOW_MS)

    assert Level(2 + 3 + 50, 0) == await level(remote)


async def test_an_era_ends_when_data_is_lost(remote, shared_redis):
    """All of it; every replica hears of the new one, and one that has heard of nothing does not end it."""
    first = (await remote.look([], NOW_MS)).era
    assert first == (await remote.look([], NOW_MS)).era
    link = Link(shared_redis.url, prefix="remote:", timeout_s=10)
    other = Remote(link, replica="s")
    assert first == (await other.look([], NOW_MS)).era

    await link.ask(lambda redis: redis.flushall())
    second = (await other.look([], NOW_MS)).era
    assert first != second == (await remote.look([], NOW_MS)).era
    await link.aclose()


async def test_counters_are_kept_no_longer_than_they_are_of_use(remote):
    """Each expires by itself; one of places is gone as soon as nobody holds any."""
    link = remote._link
    await remote.reserve(reservation("r", 5), NOW_MS + 1000, NOW_MS)
    left_ms = await link.ask(lambda redis: redis.pttl("remote:{quotas}:c:a"))
    assert UNTIL_MS - NOW_MS - 10_000 < left_ms <= UNTIL_MS - NOW_MS
    await remote.tell([Settlement(reservation("r", 5), (0,), (await remote.look([], NOW_MS)).era)], NOW_MS)

    assert [b"remote:{quotas}:era"] == await link.ask(lambda redis: redis.keys("*"))


def test_a_replica_is_called_by_one_word():
    """Its name stands among numbers."""
    with pytest.raises(ValueError, match="one word"):
        Remote(Link("redis://127.0.0.1:9/0", prefix="", timeout_s=1), replica="a b")
