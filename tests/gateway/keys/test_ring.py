"""Keys in memory, beside stores that change, go away, come back, and lose what they held."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from contextlib import asynccontextmanager

import pytest

from gateway.errors import Unauthorized
from gateway.keys.errors import KeysAway
from gateway.keys.issuing import revoked
from gateway.keys.ring import KeyRing
from gateway.keys.secret import PREFIX
from gateway.keys.sqlite import SQLiteKeyStore
from tests.gateway.keys.made import AT, key, redis_store, secret, sqlite_store
from tests.redis_server import redis_server

#: Within this a change elsewhere is known here.
PROMISE_S = 1.0


@asynccontextmanager
async def ring_on(store):
    """Serve by a store that is closed by the ring."""
    ring = KeyRing(store)
    try:
        await ring.watch()
        yield ring
    finally:
        await ring.aclose()


def whose(ring, shown):
    """Return whose secret it is; the first words of the refusal otherwise."""
    try:
        access = ring.admit(shown, AT)
    except (Unauthorized, KeysAway) as error:
        return type(error).__name__
    return access and access.key


async def until(true, patience_s=5.0):
    """Wait until something is so; return how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + patience_s, "it never came to be"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_what_another_process_does_is_known_within_a_second(open_store):
    """A new key is served, and one that was revoked is refused."""
    async with open_store() as mine, open_store() as other, ring_on(mine) as ring:
        assert None is whose(ring, secret(1))
        await other.put(key(1))
        came = await until(lambda: whose(ring, secret(1)) == key(1).id)
        await other.put(revoked(key(1), AT))
        went = await until(lambda: whose(ring, secret(1)) == "Unauthorized")

    assert max(came, went) < PROMISE_S


@pytest.mark.parametrize("shown", ["", "sk-1", PREFIX, PREFIX + "\0", PREFIX + "x" * 1_000_000, "pm-ключ", "pm-\ud800"])
async def test_what_is_no_secret_is_nobodys(open_store, shown):
    """However hostile."""
    async with open_store() as store, ring_on(store) as ring:
        assert None is whose(ring, shown)


async def test_known_keys_are_served_while_redis_is_away(tmp_path, caplog):
    """Nobody hears that a good key is wrong, or that an unknown one is: it may be new. On return all goes on."""
    caplog.set_level(logging.INFO)
    with redis_server(tmp_path) as server:
        async with redis_store(server.url, "p:") as store, ring_on(store) as ring:
            await store.put(key(1))
            await ring.refresh()
            server.stop()
            await until(lambda: not ring.current)
            for _ in range(3):
                assert (key(1).id, "KeysAway") == (whose(ring, secret(1)), whose(ring, secret(2)))
                await asyncio.sleep(0.2)
            assert None is whose(ring, "not of ours")
            with pytest.raises(KeysAway, match=r"cannot be reached.*`redis\.url`"):
                await ring.refresh()

            server.start()
            await until(lambda: ring.current)
            assert (key(1).id, None) == (whose(ring, secret(1)), whose(ring, secret(2)))
    events = [record.getMessage() for record in caplog.records if record.getMessage().startswith("keys.")]
    assert ["keys.away", "keys.back"] == events


async def test_a_gateway_starts_while_redis_is_away(tmp_path):
    """It cannot tell yet who is who, and says so; then it can."""
    with redis_server(tmp_path) as server:
        async with redis_store(server.url, "p:") as store:
            await store.put(key(1))
        server.stop()
        async with redis_store(server.url, "p:") as store, ring_on(store) as ring:
            assert ("KeysAway", None) == (whose(ring, secret(1)), whose(ring, "sk-1"))
            server.start()
            await until(lambda: whose(ring, secret(1)) == key(1).id)


async def test_what_redis_lost_comes_back_from_those_who_know_it(tmp_path, caplog):
    """Two replicas give it back; the later state of each key counts, also for a third that starts afterwards."""
    caplog.set_level(logging.WARNING)
    with redis_server(tmp_path) as server:
        stores = redis_store(server.url, "p:"), redis_store(server.url, "p:")
        async with stores[0] as one, stores[1] as two, ring_on(one) as first, ring_on(two) as second:
            for state in (key(1), key(2), revoked(key(2), AT)):
                await one.put(state)
            await asyncio.gather(first.refresh(), second.refresh())
            server.kill()
            await until(lambda: not first.current and not second.current)
            server.start()
            await until(lambda: first.current and second.current)
            await one.put(key(3))
            await until(lambda: whose(second, secret(3)) == key(3).id)
            seen = [(whose(ring, secret(1)), whose(ring, secret(2))) for ring in (first, second)]

        async with redis_store(server.url, "p:") as store, ring_on(store) as third:
            seen.append((whose(third, secret(1)), whose(third, secret(2))))
    assert 3 * [(key(1).id, "Unauthorized")] == seen
    assert "keys.restored" in caplog.text


async def test_an_older_state_of_the_file_does_not_bring_a_revoked_key_back(tmp_path):
    """Who restores a backup under a gateway that runs gets the later state of each key."""
    path, backup = tmp_path / "keys.db", tmp_path / "backup.db"
    async with sqlite_store(path) as mine, ring_on(mine) as ring:
        await mine.put(key(1))
        with sqlite3.connect(path) as source, sqlite3.connect(backup) as target:
            source.backup(target)
        source.close()
        target.close()
        await mine.put(revoked(key(1), AT))
        await ring.refresh()
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink()
        backup.rename(path)
        await ring.refresh()
        assert "Unauthorized" == whose(ring, secret(1))

    async with sqlite_store(path) as other:
        assert [revoked(key(1), AT)] == list((await other.changes(0)).keys)


async def test_known_keys_are_served_while_the_file_is_gone(tmp_path):
    """And are in the next one that is made in its place."""
    path = tmp_path / "keys.db"
    async with sqlite_store(path) as mine, ring_on(mine) as ring:
        await mine.put(key(1))
        await ring.refresh()
        for file in tmp_path.iterdir():
            file.unlink()
        await until(lambda: not ring.current)
        assert key(1).id == whose(ring, secret(1))

        async with sqlite_store(path) as other:
            await other.put(key(2))
            await until(lambda: whose(ring, secret(2)) == key(2).id)
            assert {key(1), key(2)} == set((await other.changes(0)).keys)


async def test_a_file_that_cannot_be_used_is_named(tmp_path):
    """With the reason, and what to do."""
    (tmp_path / "text.db").write_text("no database at all, " * 100)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    (tmp_path / "file").touch()
    for name, said in {
        "text.db": r"text\.db.*not an SQLite database.*keys\.path",
        "other.db": r"other\.db is no file of keys.*keys\.path",
        "file/keys.db": r"file/keys\.db: cannot be created.*keys\.path",
    }.items():
        store = SQLiteKeyStore(tmp_path / name)
        with pytest.raises(KeysAway, match=said):
            await store.open()
        await store.aclose()


async def test_only_the_owner_may_read_the_file(tmp_path):
    """Names and teams are nobody else's business."""
    async with sqlite_store(tmp_path / "new" / "keys.db") as store:
        await store.put(key(1))

    assert 0o600 == (tmp_path / "new" / "keys.db").stat().st_mode & 0o777
