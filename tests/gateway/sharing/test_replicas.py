"""Signs of life, over a real Redis."""

import asyncio
import time

import pytest

from gateway.sharing.beat import beat
from gateway.sharing.link import Link
from gateway.sharing.replicas import Replicas
from tests.redis_server import redis_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def link(server):
    one = Link(server.url, prefix=f"p{time.monotonic_ns()}", timeout_s=1)
    yield one
    await one.aclose()


async def test_replicas_are_counted(link):
    """And those that have another configuration in force; one that leaves is gone at once."""
    counts = {}
    replicas = [
        Replicas(link, name, lambda digest=digest: digest, lambda *count, name=name: counts.__setitem__(name, count))
        for name, digest in (("one", "x"), ("two", "x"), ("three", "y"))
    ]
    for _ in range(2):
        for replica in replicas:
            await replica.sync()
    assert {"one": (3, 1), "two": (3, 1), "three": (3, 2)} == counts
    await replicas[2].leave()
    await replicas[0].sync()
    assert (2, 0) == counts["one"]


async def test_one_that_gives_no_sign_is_gone(link):
    """After ten seconds; signs that cannot be read are none."""
    counts = []
    await link.ask(
        lambda redis: redis.hset(
            f"{link.prefix}:replicas", mapping={"old": '{"at": 1, "digest": "x"}', "odd": "}", "list": "[]"}
        )
    )
    one = Replicas(link, "one", lambda: "x", lambda *count: counts.append(count))
    await one.sync()

    assert [(1, 0)] == counts
    assert [b"one"] == list(await link.ask(lambda redis: redis.hgetall(f"{link.prefix}:replicas")))


async def test_the_beat_survives_redis(server, link):
    """Exchanges that fail are tried again."""
    counted = asyncio.Event()
    one = Replicas(link, "one", lambda: "x", lambda *_: counted.set())
    task = asyncio.create_task(beat((one,), every_s=0.02))
    async with asyncio.timeout(20):
        await counted.wait()
        server.kill()
        await asyncio.sleep(0.1)
        counted.clear()
        server.start()
        await counted.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
