import asyncio
import time

import pytest

from gateway.caching.redis_shelf import PAGE, RedisShelf
from gateway.caching.shelf import ShelfAway
from tests.gateway.caching.shelves import MUCH, NOW, item, key, linked, near, opened
from tests.redis_server import redis_server

EAST, NORTH = near(1, 0), near(0, 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
async def shelf(request, server):
    async with opened(request.param, server) as one:
        yield one


@pytest.fixture(params=["memory", "redis"])
async def narrow(request, server):
    """Return a shelf with room for four items of 3,000 bytes."""
    async with opened(request.param, server, 4 * 3_500) as one:
        yield one


async def found(shelf, names, now=NOW):
    return [name for name in names if await shelf.get(key(name), now) is not None]


async def names_near(shelf, where, least=0.5, now=NOW):
    return [one.key for one in await shelf.neighbours(where.bucket, where.vector, least, now)]


async def test_what_was_put_is_there(shelf):
    """Under its key alone, byte by byte."""
    assert await shelf.put(item("a", b"\x00\xff\n"), NOW)

    assert (b"\x00\xff\n", None) == (await shelf.get(key("a"), NOW), await shelf.get(key("b"), NOW))


async def test_the_last_one_counts(shelf):
    """The question goes with the value that it belongs to."""
    await shelf.put(item("a", b"old", near=EAST), NOW)
    await shelf.put(item("a", b"new", near=NORTH), NOW)

    assert b"new" == await shelf.get(key("a"), NOW)
    assert ([], [key("a")]) == (await names_near(shelf, EAST), await names_near(shelf, NORTH))


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_what_has_expired_is_gone(kind, server):
    """Value and question."""
    async with opened(kind, server) as shelf:
        began = time.time()
        await shelf.put(item("a", ttl_s=0.3, near=EAST), began)
        await shelf.put(item("b", ttl_s=60), began)
        assert [key("a")] == await names_near(shelf, EAST, now=began)
        await asyncio.sleep(0.35)

        assert ["b"] == await found(shelf, "ab", time.time())
        assert [] == await names_near(shelf, EAST, now=time.time())


async def test_old_values_make_room(narrow):
    """The first one goes, and its question with it; no more is held than may be."""
    for name in "abcde":
        assert await narrow.put(item(name, b"x" * 3_000, near=near(1, 0, bucket=f"b{name}")), NOW)

    left = await found(narrow, "abcde")
    assert left
    assert left == list("abcde")[-len(left) :]
    assert len(left) < 5
    assert [] == await names_near(narrow, near(1, 0, bucket="ba"))
    assert [key("e")] == await names_near(narrow, near(1, 0, bucket="be"))


async def test_a_value_larger_than_all_there_may_be_is_refused(narrow):
    """Nothing is thrown out for it."""
    await narrow.put(item("a"), NOW)

    assert not await narrow.put(item("b", b"x" * 14_001), NOW)
    assert ["a"] == await found(narrow, "ab")


async def test_a_value_that_is_replaced_is_not_counted_twice(narrow):
    """However often."""
    await narrow.put(item("other", b"x" * 3_000), NOW)
    for _ in range(20):
        await narrow.put(item("a", b"x" * 3_000, near=EAST), NOW)

    assert ["other", "a"] == await found(narrow, ["other", "a"])


async def test_neighbours_come_nearest_first(shelf):
    """Those of the bucket that are near enough, with their texts."""
    for name, where in (("a", near(1, 0)), ("b", near(1, 0.5)), ("c", near(0, 1)), ("d", near(1, 0, bucket="other"))):
        await shelf.put(item(name, near=where), NOW)

    neighbours = await shelf.neighbours(EAST.bucket, EAST.vector, 0.5, NOW)

    assert [key("a"), key("b")] == [one.key for one in neighbours]
    assert ["at (1, 0)", "at (1, 0.5)"] == [one.text for one in neighbours]
    assert [1.0, pytest.approx(0.894, abs=1e-3)] == [one.cosine for one in neighbours]


async def test_a_bucket_that_nobody_has_filled_is_empty(shelf):
    """And takes no memory."""
    assert [] == await names_near(shelf, EAST)
    assert 0 == shelf.held_bytes


async def test_what_is_used_stays(server):
    """In memory, those that were used longest ago go first."""
    async with opened("memory", server, 4 * 3_500) as shelf:
        for name in "abc":
            await shelf.put(item(name, b"x" * 3_000), NOW)
        await found(shelf, "a")
        for name in "de":
            await shelf.put(item(name, b"x" * 3_000), NOW)

        assert list("ade") == (await found(shelf, "abcde"))[:1] + (await found(shelf, "de"))
        assert shelf.held_bytes <= 4 * 3_500


async def test_replicas_share_values_and_questions(server):
    """What one keeps, the other finds, also when it has read the bucket before."""
    async with linked(server) as one, linked(server, one.prefix) as other:
        here, there = RedisShelf(one, MUCH), RedisShelf(other, MUCH)
        await here.put(item("a", near=EAST), NOW)
        assert [key("a")] == await names_near(there, EAST)
        await here.put(item("b", near=EAST), NOW)

        assert [key("a"), key("b")] == sorted(await names_near(there, EAST))
        assert b"value" == await there.get(key("b"), NOW)


async def test_a_long_bucket_is_read_in_pages(server):
    """A replica that comes late has all of it after some lookups."""
    async with linked(server) as one, linked(server, one.prefix) as other:
        here, there = RedisShelf(one, MUCH), RedisShelf(other, MUCH)
        await asyncio.gather(*(here.put(item(str(n), near=near(1, n)), NOW) for n in range(PAGE + 1)))
        last = near(1, PAGE)

        assert 8 == len(await names_near(there, last, least=-1))
        assert PAGE == len(there._mirrors[last.bucket].questions)
        await names_near(there, last)
        assert PAGE + 1 == len(there._mirrors[last.bucket].questions)


async def test_mirrors_are_bounded(server):
    """Those of buckets that were asked for longest ago go first; they can be read again."""
    async with linked(server) as one:
        shelf = RedisShelf(one, 5_000)
        for n in range(20):
            await shelf.put(item(str(n), near=near(1, 0, bucket=f"b{n}")), NOW)
            await names_near(shelf, near(1, 0, bucket=f"b{n}"))

        assert 0 < shelf.held_bytes <= 5_000


async def test_redis_holds_no_more_than_it_may(server):
    """What is counted is what is there, whatever was replaced, thrown out or has expired."""
    async with linked(server) as link:
        shelf = RedisShelf(link, 20_000)
        for n in range(120):
            where = near(1, n, bucket=f"b{n % 3}") if n % 2 else None
            await shelf.put(item(str(n % 40), b"x" * (n * 37 % 3_000), ttl_s=0.05 if n % 5 else 60, near=where), NOW)
            await asyncio.sleep(0.002)
        facts = await link.ask(lambda redis: redis.hgetall(f"{link.prefix}cache:facts"))
        total = await link.ask(lambda redis: redis.get(f"{link.prefix}cache:bytes"))
        names = await link.ask(lambda redis: redis.keys(f"{link.prefix}*"))
        lives = [await link.ask(lambda redis, name=name: redis.pttl(name)) for name in names]

        assert sum(int(fact.split()[0]) for fact in facts.values()) == int(total) <= 20_000
        assert all(life > 0 for life in lives), "each key has its time"


async def test_without_redis_everything_is_away_at_once(tmp_path):
    """And nothing waits; once it is back, it is used again, and what it kept is there."""
    with redis_server(tmp_path) as server:
        async with linked(server, "p:") as link:
            shelf = RedisShelf(link, MUCH)
            await shelf.put(item("a", near=EAST), NOW)
            server.stop()
            with pytest.raises(ShelfAway):
                await shelf.get(key("a"), NOW)
            began = time.monotonic()
            for call in (shelf.get(key("a"), NOW), shelf.put(item("b"), NOW), names_near(shelf, EAST)):
                with pytest.raises(ShelfAway):
                    await call
            assert time.monotonic() - began < 0.1
            server.start()
            await asyncio.sleep(0.6)

            assert (["a"], [key("a")]) == (await found(shelf, "ab"), await names_near(shelf, EAST))


async def test_a_redis_that_lost_everything_is_empty(tmp_path):
    """Mirrors forget what is gone, and follow what comes then."""
    with redis_server(tmp_path) as server:
        async with linked(server, "p:") as link:
            shelf = RedisShelf(link, MUCH)
            await shelf.put(item("a", near=EAST), NOW)
            assert [key("a")] == await names_near(shelf, EAST)
            server.kill()
            server.start()

            assert ([], []) == (await found(shelf, "a"), await names_near(shelf, EAST))
            await shelf.put(item("b", near=EAST), NOW)
            assert [key("b")] == await names_near(shelf, EAST)


async def test_questions_that_cannot_be_read_are_passed_over(server):
    """Whoever has written them."""
    async with linked(server) as link:
        shelf = RedisShelf(link, MUCH)
        stream = f"{link.prefix}cache:near:{EAST.bucket.hex()}"
        for members in ({"key": "no hex"}, {"key": "00", "vector": b"1", "text": "t", "expires": "9e9"}, {"a": "b"}):
            await link.ask(lambda redis, members=members: redis.xadd(stream, members))
        await shelf.put(item("a", near=EAST), NOW)

        assert [key("a")] == await names_near(shelf, EAST)
