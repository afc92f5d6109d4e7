from __future__ import annotations

import asyncio
import random
import signal
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from gateway.quotas import Estimate, Holder, Quota, QuotaExceeded, Quotas, QuotasUnavailable
from gateway.sharing.link import REST_S
from tests.redis_server import redis_server

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=5)
ANA = Holder(key="ana")
ONE = Estimate(1, 0)

DAY = Quota("day", "key", "tokens", 10, "day")
PARALLEL = Quota("parallel", "key", "concurrent", 3, None)


@pytest.fixture
def redis(tmp_path):
    """Serve a Redis of the test's own, which may be stopped."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
def replica(redis, replicas):
    """Return a function that opens one more replica on the test's own Redis."""

    def one_more(*quotas, away="open", timeout_s=1.0):
        return Quotas(quotas or (DAY,), replicas(redis.url, away=away, timeout_s=timeout_s), longest_s=600)

    return one_more


async def take(quotas, tokens, at=NOON):
    """Reserve so many tokens and settle them; tell whether that was granted."""
    try:
        grant = await quotas.reserve(ANA, "m", Estimate(tokens, 0), at)
    except QuotaExceeded:
        return False
    await grant.settle(tokens, 0, at)
    return True


async def left(quotas, at=NOON):
    """Return how many tokens are left, by the answer to a request for too many."""
    with pytest.raises(QuotaExceeded) as caught:
        await quotas.reserve(ANA, "m", Estimate(10_000, 0), at)
    return caught.value.remaining


async def come_back(*sides, at=LATER):
    """Let all notice that Redis is back, which they do not ask for a moment after a failure."""
    await asyncio.sleep(REST_S + 0.05)
    for side in sides:
        await side.tend(at)


async def test_without_redis_each_replica_counts_from_what_was_last_known(redis, replica):
    """What was used before still counts, and what is used meanwhile is made up for when Redis is back."""
    ours, theirs = replica(), replica()
    assert await take(ours, 2)
    assert await take(theirs, 3)
    redis.stop()

    assert await take(theirs, 5)
    assert not await take(theirs, 1)
    assert await take(ours, 1)
    redis.start()
    await come_back(ours, theirs)

    assert 0 == await left(ours)
    ours.replace([Quota("day", "key", "tokens", 12, "day")], longest_s=600)
    assert 1 == await left(ours)


async def test_what_was_reserved_before_an_outage_is_settled_once_after_it(redis, replica):
    """Its settlement waits until Redis is back, and then counts in place of what was held."""
    ours, theirs = replica(), replica()
    grant = await ours.reserve(ANA, "m", Estimate(8, 0), NOON)
    redis.stop()
    await grant.settle(4, 0, NOON)
    assert 6 == await left(ours)
    redis.start()
    await come_back(ours)

    assert 6 == await left(theirs)


async def test_what_was_reserved_in_an_outage_is_held_after_it(redis, replica):
    """When Redis is back, other replicas see what is open, and what is settled then counts there."""
    ours, theirs = replica(DAY, PARALLEL), replica(DAY, PARALLEL)
    await ours.tend(NOON)
    redis.stop()
    grants = [await ours.reserve(ANA, "m", Estimate(2, 0), NOON) for _ in range(3)]
    redis.start()
    await come_back(ours)

    with pytest.raises(QuotaExceeded) as caught:
        await theirs.reserve(ANA, "m", ONE, LATER)
    assert ("parallel", 0) == (caught.value.quota, caught.value.remaining)
    assert 4 == await left(theirs, LATER)
    for grant in grants:
        await grant.settle(1, 0, LATER)
    assert 7 == await left(theirs, LATER)


async def test_places_that_are_given_back_in_an_outage_are_free(redis, replica):
    """A replica's own requests under way do not block it while Redis is away."""
    quotas = replica(PARALLEL)
    grants = [await quotas.reserve(ANA, "m", ONE, NOON) for _ in range(3)]
    redis.stop()
    with pytest.raises(QuotaExceeded):
        await quotas.reserve(ANA, "m", ONE, NOON)
    for grant in grants:
        await grant.release(NOON)

    again = [await quotas.reserve(ANA, "m", ONE, NOON) for _ in range(3)]
    assert 3 == len(again)


async def test_what_expired_in_an_outage_may_be_settled_after_it(redis, replica):
    """A request that outlived its reservation while Redis was away counts nevertheless."""
    quotas = replica()
    await quotas.tend(NOON)
    redis.stop()
    grant = await quotas.reserve(ANA, "m", Estimate(2, 0), NOON)
    late = NOON + timedelta(seconds=601)
    redis.start()
    await come_back(quotas, at=late)
    assert 10 == await left(quotas, late)
    await grant.settle(3, 0, late)

    assert 7 == await left(quotas, late)


async def test_data_that_redis_has_lost_is_restored_once(redis, replica):
    """After a crash without a copy the last known counts come back, from whoever knew most, and so does what followed."""
    ours, theirs = replica(), replica()
    assert await take(ours, 2)
    assert await take(theirs, 3)
    redis.kill()
    assert await take(ours, 1)
    redis.start()
    await come_back(theirs, ours)
    await come_back(theirs, ours)

    assert 4 == await left(ours)


async def test_a_loss_that_nobody_saw_is_noticed(redis, replica):
    """Also where Redis is up again before it is asked the next time; then a request that was under way still counts."""
    quotas = replica()
    assert await take(quotas, 5)
    grant = await quotas.reserve(ANA, "m", Estimate(1, 0), NOON)
    redis.kill()
    redis.start()
    await grant.settle(2, 0, NOON)
    await quotas.tend(NOON)

    assert 3 == await left(quotas)


async def test_closed_means_that_nothing_passes_uncounted(redis, replica):
    """Without Redis requests are refused as if the gateway were unavailable; what is settled meanwhile counts later."""
    quotas = replica(away="closed")
    grant = await quotas.reserve(ANA, "m", Estimate(4, 0), NOON)
    redis.stop()
    with pytest.raises(QuotasUnavailable) as caught:
        await quotas.reserve(ANA, "m", ONE, NOON)
    assert (503, "quotas_unavailable", "1") == (
        caught.value.status,
        caught.value.code,
        caught.value.headers["retry-after"],
    )
    await grant.settle(3, 0, NOON)
    redis.start()
    await come_back(quotas)

    assert 7 == await left(quotas)


async def test_a_reservation_lasts_through_a_long_outage(redis, replica):
    """What is still open when Redis comes back is held again, though Redis thinks that it has expired."""
    ours, theirs = replica(), replica()
    await ours.reserve(ANA, "m", Estimate(4, 0), NOON)
    redis.stop()
    assert not await take(ours, 7)
    await ours.tend(NOON + timedelta(seconds=30))
    redis.start()
    await come_back(ours, at=NOON + timedelta(seconds=70))

    assert 6 == await left(theirs, NOON + timedelta(seconds=71))


@pytest.mark.parametrize("steps", range(1, 25))
async def test_a_cancelled_settlement_counts_once(replicas, shared_redis, steps):
    """However far it has come when the client leaves, also where it has to connect first."""
    ledger = replicas()
    quotas = Quotas([DAY], ledger, longest_s=600)
    grant = await quotas.reserve(ANA, "m", Estimate(4, 0), NOON)
    async with Redis.from_url(shared_redis.url) as other:
        await other.client_kill_filter(_type="normal", skipme=True)
    task = asyncio.create_task(grant.settle(3, 0, NOON))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await quotas.tend(NOON)

    assert 7 == await left(quotas)


@pytest.mark.parametrize("steps", range(1, 25))
async def test_what_is_settled_while_it_is_held_anew_counts_once(replicas, shared_redis, steps):
    """After a loss of data what is open is held anew; settlements do not overtake that."""
    quotas = Quotas([Quota("day", "key", "tokens", 100, "day")], replicas(), longest_s=600)
    # All at once, so that there are connections enough for all to be settled at once.
    grants = await asyncio.gather(*(quotas.reserve(ANA, "m", Estimate(4, 0), NOON) for _ in range(10)))
    async with Redis.from_url(shared_redis.url) as other:
        await other.flushall()
    tending = asyncio.create_task(quotas.tend(NOON))
    for _ in range(steps):
        await asyncio.sleep(0)
    await asyncio.gather(tending, *(grant.settle(5, 0, NOON) for grant in grants))
    await quotas.tend(NOON)

    assert 50 == await left(quotas)


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancelled_reservation_holds_nothing(replicas, steps):
    """However far it has come when the client leaves."""
    quotas = Quotas([DAY], replicas(), longest_s=600)
    task = asyncio.create_task(quotas.reserve(ANA, "m", Estimate(4, 0), NOON))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await quotas.tend(NOON)

    assert (6 if not task.cancelled() else 10) == await left(quotas)


async def test_a_redis_that_hangs_is_not_waited_for(redis, replica):
    """The first to ask waits for the timeout, nobody after; what Redis does once it wakes up is not counted twice."""
    quotas = replica(timeout_s=0.2)
    assert await take(quotas, 1)
    redis.popen.send_signal(signal.SIGSTOP)
    began = asyncio.get_running_loop().time()
    assert await take(quotas, 2)
    assert await take(quotas, 2)
    assert asyncio.get_running_loop().time() - began < 0.4
    redis.popen.send_signal(signal.SIGCONT)
    await come_back(quotas)

    assert 5 == await left(quotas)


async def test_a_replica_that_was_killed_leaves_nothing_behind(replicas):
    """What it held comes back when nobody has renewed it for a minute."""
    killed, other = (Quotas([DAY, PARALLEL], replicas(), longest_s=600) for _ in range(2))
    for _ in range(3):
        await killed.reserve(ANA, "m", Estimate(3, 0), NOON)
    assert 1 == await left(other, NOON + timedelta(seconds=59))

    assert 10 == await left(other, NOON + timedelta(seconds=60))
    await other.reserve(ANA, "m", ONE, NOON + timedelta(seconds=60))


@pytest.mark.parametrize("seed", [0, 2])
async def test_no_count_is_lost_or_doubled_whatever_happens_to_redis(redis, replica, seed):
    """Two replicas, with Redis stopped, hanging, killed and back, perhaps with old data: all that was taken counts."""
    rng = random.Random(seed)
    quota = Quota("day", "key", "tokens", 10**6, "day")
    sides = [replica(quota, timeout_s=0.1) for _ in range(2)]
    open_, taken = [], 0
    for away in rng.sample(["stop", "hang", "kill", "kill"], 3):
        for n in range(60):
            if n == 20:
                leave(redis, away)
            if n == 40:
                arrive(redis, away)
                await come_back(*rng.sample(sides, 2))
            if open_ and rng.random() < 0.5:
                tokens = rng.randrange(100)
                taken += tokens
                await open_.pop(rng.randrange(len(open_))).settle(tokens, 0, NOON)
            else:
                open_.append(await rng.choice(sides).reserve(ANA, "m", Estimate(rng.randrange(100), 0), NOON))
        await come_back(*sides)
    for grant in open_:
        await grant.release(NOON)

    with pytest.raises(QuotaExceeded) as caught:
        # By then has expired what an old copy of the data, from before a kill, holds for requests that have ended.
        await sides[0].reserve(ANA, "m", Estimate(10**6 + 1, 0), NOON + timedelta(seconds=66))
    assert 10**6 - taken == caught.value.remaining


def leave(redis, how):
    match how:
        case "stop":
            redis.stop()
        case "kill":
            redis.kill()
        case "hang":
            redis.popen.send_signal(signal.SIGSTOP)


def arrive(redis, how):
    match how:
        case "stop" | "kill":
            redis.start()
        case "hang":
            redis.popen.send_signal(signal.SIGCONT)
