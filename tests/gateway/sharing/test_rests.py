"""Two fleets and one real Redis."""

import asyncio
import time

import pytest

from gateway.endpoints.endpoint import Condition
from gateway.endpoints.fleet import Fleet
from gateway.sharing.link import Link, RedisAway
from gateway.sharing.rests import SharedRests
from providers.errors import ConnectFailed, Overloaded, RateLimited
from tests.gateway.worlds import endpoint
from tests.redis_server import redis_server

A = endpoint("a", "k1", "k2")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def replicas(server):
    """Two replicas, each a fleet with what shares its rests."""
    links = [Link(server.url, prefix=f"p{time.monotonic_ns()}", timeout_s=1) for _ in range(2)]
    links[1].prefix = links[0].prefix
    fleets = [Fleet(), Fleet()]
    for fleet in fleets:
        fleet.take({"a": (A,)}, {"a": Condition()})
    yield [(fleet, SharedRests(link, fleet)) for fleet, link in zip(fleets, links, strict=True)]
    for link in links:
        await link.aclose()


@pytest.mark.parametrize(("error", "blocked"), [(ConnectFailed("x"), (0.5, 0.5)), (RateLimited("x"), (1.0, 0.0))])
async def test_what_one_has_found_the_other_knows(replicas, error, blocked):
    """An endpoint that rests, and a key that is limited."""
    (one, sharing), (other, others_sharing) = replicas
    now = time.monotonic()
    one.failed(A, "k1", error, now)
    await sharing.sync()
    await others_sharing.sync()

    assert blocked == pytest.approx([other.blocked_s(A, key, now) for key in ("k1", "k2")], abs=0.01)


async def test_waiting_is_told(replicas):
    """And the longest holds, whoever heard it."""
    (one, sharing), (other, others_sharing) = replicas
    now = time.monotonic()
    for fleet, seconds in ((one, 20), (other, 40)):
        error = Overloaded("x")
        error.retry_after_s = seconds
        fleet.failed(A, "k1", error, now)
    for _ in range(2):
        await sharing.sync()
        await others_sharing.sync()

    assert [40, 40] == pytest.approx([fleet.blocked_s(A, "k1", now) for fleet in (one, other)], abs=0.01)


async def test_what_is_over_is_forgotten(replicas):
    """Redis holds present rests only, and each replica finds out itself that an endpoint is well again."""
    (one, sharing), (other, others_sharing) = replicas
    one.failed(A, "k1", ConnectFailed("x"), time.monotonic() - 0.45)
    await sharing.sync()
    await others_sharing.sync()
    assert not other.condition("a").breaker.closed
    await asyncio.sleep(0.06)
    await others_sharing.sync()

    assert {} == await others_sharing._link.ask(lambda redis: redis.hgetall(others_sharing._key))
    assert other.condition("a").breaker.admits(time.monotonic())


async def test_endpoints_of_other_configurations_are_left_alone(replicas):
    """As are values that nobody can read."""
    (fleet, sharing), _ = replicas
    await sharing._link.ask(
        lambda redis: redis.hset(sharing._key, mapping={"other@up": '{"rests": 9e12}', "a": "[}", "b": "7"})
    )
    await sharing.sync()

    assert (["a"], True) == (list(fleet.conditions), fleet.condition("a").breaker.admits(time.monotonic()))


async def test_without_redis_it_says_so(server, replicas):
    """And goes on once it is back."""
    (one, sharing), _ = replicas
    server.stop()
    one.failed(A, "k1", ConnectFailed("x"), time.monotonic() + 30)
    with pytest.raises(RedisAway):
        await sharing.sync()
    server.start()
    await asyncio.sleep(0.6)
    await sharing.sync()
    assert [b"a"] == list(await sharing._link.ask(lambda redis: redis.hgetall(sharing._key)))
