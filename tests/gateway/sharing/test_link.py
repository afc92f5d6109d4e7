from __future__ import annotations

import asyncio
import signal

import pytest

from gateway.sharing.link import CONNECTIONS, REST_S, Link, RedisAway
from tests.redis_server import redis_server


@pytest.fixture
def server(tmp_path):
    with redis_server(tmp_path) as running:
        yield running


@pytest.fixture
async def opened(server):
    """Return a function that opens links to the server, and notes what they say of it."""
    links = []

    def open_link(*, timeout_s=1.0, said=None):
        on_change = said.append if said is not None else lambda _: None
        links.append(Link(server.url, prefix="test:", timeout_s=timeout_s, on_change=on_change))
        return links[-1]

    yield open_link
    for link in links:
        await link.aclose()


async def seconds(awaitable):
    began = asyncio.get_running_loop().time()
    await awaitable
    return asyncio.get_running_loop().time() - began


async def away(link):
    with pytest.raises(RedisAway):
        await link.ask(lambda redis: redis.ping())


async def test_what_redis_answers_is_returned(opened):
    """Commands run on one pool, and nobody hears of a change while there is none."""
    said = []
    link = opened(said=said)

    assert await link.ask(lambda redis: redis.set("test:a", "1"))
    assert b"1" == await link.ask(lambda redis: redis.get("test:a"))
    assert ("test:", True, []) == (link.prefix, link.answers, said)


async def test_a_loss_and_a_return_are_told_once_each(server, opened):
    """However often it is asked meanwhile."""
    said = []
    link = opened(said=said)
    await link.ask(lambda redis: redis.ping())
    server.stop()
    for _ in range(3):
        await away(link)
    assert ([False], False) == (said, link.answers)

    server.start()
    await asyncio.sleep(REST_S)
    for _ in range(3):
        await link.ask(lambda redis: redis.ping())
    assert ([False, True], True) == (said, link.answers)


async def test_after_a_failure_nobody_waits_for_a_while(server, opened):
    """One waits for the timeout; who asks then hears at once that Redis is away, until the rest is over."""
    link = opened(timeout_s=2.0)
    await link.ask(lambda redis: redis.ping())
    server.popen.send_signal(signal.SIGSTOP)

    assert 1.9 < await seconds(away(link)) < 4.0
    assert await seconds(asyncio.gather(*(away(link) for _ in range(10)))) < 1.0
    server.popen.send_signal(signal.SIGCONT)
    await asyncio.sleep(REST_S)
    assert await link.ask(lambda redis: redis.ping())


async def test_a_restart_between_two_questions_goes_unnoticed(server, opened):
    """A connection that was kept and is dead is replaced: that is no loss."""
    said = []
    link = opened(said=said)
    await link.ask(lambda redis: redis.set("test:a", "1"))
    server.stop()
    server.start()

    assert b"1" == await link.ask(lambda redis: redis.get("test:a"))
    assert [] == said


async def test_many_askers_share_the_connections(opened):
    """Who finds none free waits for one, and is answered in time."""
    link = opened(timeout_s=5.0)
    numbers = await asyncio.gather(*(link.ask(lambda redis: redis.incr("test:n")) for _ in range(8 * CONNECTIONS)))

    assert list(range(1, 8 * CONNECTIONS + 1)) == sorted(numbers)
    clients = await link.ask(lambda redis: redis.client_list())
    assert len(clients) <= CONNECTIONS


async def test_an_error_of_redis_is_no_answer(opened):
    """A command that Redis refuses is as good as none: whoever asked goes on without it."""
    link = opened()
    await link.ask(lambda redis: redis.set("test:a", "text"))

    with pytest.raises(RedisAway, match="ResponseError"):
        await link.ask(lambda redis: redis.incr("test:a"))


async def test_where_nobody_listens_redis_is_away():
    """The first question says so, quickly."""
    link = Link("redis://127.0.0.1:9/0", prefix="test:", timeout_s=1.0)

    assert await seconds(away(link)) < 0.9
    await link.aclose()


async def test_who_is_cancelled_does_not_make_redis_away(opened):
    """A client that leaves says nothing of Redis, and leaves the connections as they were."""
    said = []
    link = opened(said=said, timeout_s=5.0)
    for steps in range(8):
        task = asyncio.create_task(link.ask(lambda redis: redis.blpop(["test:nothing"], timeout=0.3)))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    assert await link.ask(lambda redis: redis.ping())
    assert b"x" == await link.ask(lambda redis: redis.echo("x"))
    assert [] == said
