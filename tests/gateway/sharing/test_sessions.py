"""Sessions of two replicas, over one real Redis."""

import asyncio
import time

import pytest

from gateway.sharing.link import Link, RedisAway
from gateway.sharing.sessions import MAX_PENDING, SharedSessions
from tests.redis_server import redis_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def links(server):
    pair = [Link(server.url, prefix=f"p{time.monotonic_ns()}", timeout_s=1) for _ in range(2)]
    pair[1].prefix = pair[0].prefix
    yield pair
    for link in pair:
        await link.aclose()


async def test_another_replica_knows_who_answered(links):
    """And when, by its own clock; what is newer here stands."""
    one, other = (SharedSessions(link) for link in links)
    now = time.monotonic()
    one.note("p", "ann\ns1", "a", now)
    await one.sync()
    await other.refresh("p", "ann\ns1")
    assert ("a", pytest.approx(now, abs=0.01)) == (other.last("p", "ann\ns1").model, other.last("p", "ann\ns1").at)
    other.note("p", "ann\ns1", "b", now + 1)
    await other.refresh("p", "ann\ns1")
    assert "b" == other.last("p", "ann\ns1").model
    await other.sync()
    await one.refresh("p", "ann\ns1")
    assert "b" == one.last("p", "ann\ns1").model
    await one.refresh("p", "unknown")
    assert one.last("p", "unknown") is one.last("q", "ann\ns1") is None


async def test_what_callers_write_is_not_stored(links):
    """A session's name may be somebody's."""
    one = SharedSessions(links[0])
    one.note("p", "ann\nsecret-session \ud800", "a", time.monotonic())
    await one.sync()
    keys = await links[0].ask(lambda redis: redis.keys(f"{links[0].prefix}*"))

    assert 1 == len(keys)
    assert b"secret" not in keys[0]
    assert 0 < await links[0].ask(lambda redis: redis.ttl(keys[0])) <= 3600


async def test_redis_may_go_and_come(server, links):
    """What was noted meanwhile is told afterwards, and nobody waits."""
    one, other = (SharedSessions(link) for link in links)
    server.stop()
    one.note("p", "s", "a", time.monotonic())
    await one.refresh("p", "s")
    with pytest.raises(RedisAway):
        await one.sync()
    server.start()
    await asyncio.sleep(0.6)
    await one.sync()
    await other.refresh("p", "s")

    assert "a" == one.last("p", "s").model == other.last("p", "s").model


async def test_what_cannot_be_read_says_nothing(links):
    """Values of another version, say."""
    one = SharedSessions(links[0])
    for value in ("{", "[1]", '{"model": "a"}', '{"model": "a", "at": null}'):
        await links[0].ask(lambda redis, value=value: redis.set(one._key("p", "s"), value))
        await one.refresh("p", "s")
        assert one.last("p", "s") is None


async def test_what_waits_to_be_told_is_bounded(links):
    """Of more, the oldest is not told."""
    one = SharedSessions(links[0])
    for n in range(MAX_PENDING + 5):
        one.note("p", str(n), "a", 0.0)

    assert (MAX_PENDING, ("p", "5")) == (len(one._pending), next(iter(one._pending)))
