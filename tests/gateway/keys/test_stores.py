"""One battery for both stores: what `KeyStore` promises."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.keys.errors import KeyConflict
from gateway.keys.issuing import changed, revoked, rotated
from gateway.keys.store import PAGE
from tests.gateway.keys.made import AT, HOUR, WHOLE, key, secret


async def everything(store):
    """Return the store's keys by id, read page by page."""
    found, version = {}, 0
    while True:
        changes = await store.changes(version)
        found |= {one.id: one for one in changes.keys}
        version = changes.upto
        if version == changes.version:
            return found


async def test_what_was_put_is_there_for_others(open_store):
    """Also after it was closed."""
    whole = changed(key(1), "whole", WHOLE)
    async with open_store() as store:
        await store.put(key(1))
        await store.put(whole)
        await store.put(key(2))

    async with open_store() as other:
        assert {whole.id: whole, key(2).id: key(2)} == await everything(other)


async def test_an_empty_store_has_neither_data_nor_a_name_for_them(open_store):
    """The first key gives it both."""
    async with open_store() as store:
        empty = await store.changes(0)
        await store.put(key(1))
        first = await store.changes(0)

    assert ("", 0, 0, ()) == (empty.epoch, empty.version, empty.upto, empty.keys)
    assert first.epoch
    assert (1, 1) == (first.version, first.upto)


async def test_only_what_is_new_is_read_again(open_store):
    """A key that was written twice comes once, as it is now."""
    async with open_store() as store:
        await store.put(key(1))
        await store.put(key(2))
        before = await store.changes(0)
        await store.put(rotated(key(1), secret(9), HOUR, AT))
        await store.put(revoked(rotated(key(1), secret(9), HOUR, AT), AT))
        after = await store.changes(before.version)
        nothing = await store.changes(after.version)

    assert [revoked(rotated(key(1), secret(9), HOUR, AT), AT)] == list(after.keys)
    assert ((), after.version, before.epoch) == (nothing.keys, nothing.version, nothing.epoch)


async def test_a_name_belongs_to_one_key(open_store):
    """Until it is revoked, or is called otherwise; and nothing of what is refused is stored."""
    async with open_store() as store:
        await store.put(key(1, "a"))
        for refused in (key(2, "a"), changed(key(3, "b"), "a", WHOLE)):
            if refused.revision > 1:
                await store.put(key(3, "b"))
            with pytest.raises(KeyConflict, match="'a' is another key's"):
                await store.put(refused)
        assert {key(1).id, key(3).id} == set(await everything(store))

        await store.put(revoked(key(1, "a"), AT))
        await store.put(key(2, "a"))
        await store.put(changed(key(2, "a"), "c", WHOLE))
        await store.put(key(4, "a"))
        assert {"a", "b", "c"} == {one.name for one in (await everything(store)).values()}


async def test_of_two_changes_to_one_state_the_second_is_refused(open_store):
    """A change that began before a revocation does not undo it."""
    async with open_store() as store:
        await store.put(key(1))
        await store.put(revoked(key(1), AT))
        with pytest.raises(KeyConflict, match="changed by somebody else meanwhile"):
            await store.put(changed(key(1), "other", WHOLE))
        with pytest.raises(KeyConflict, match="changed by somebody else meanwhile"):
            await store.put(replace(key(2), revision=2))
        assert {key(1).id: revoked(key(1), AT)} == await everything(store)


async def test_to_put_the_same_twice_is_to_put_it_once(open_store):
    """Who did not hear the answer may ask again."""
    async with open_store() as store:
        await store.put(key(1))
        before = await store.changes(0)
        await store.put(key(1))
        assert before == await store.changes(0)


async def test_many_keys_are_read_page_by_page(open_store):
    """None is missed, and none comes twice, though some change in between."""
    total = PAGE + 20
    async with open_store() as store:
        for n in range(total):
            await store.put(key(n))
        first = await store.changes(0)
        await store.put(revoked(key(3), AT))
        second = await store.changes(first.upto)

    assert (PAGE, PAGE) == (len(first.keys), first.upto)
    assert {key(n).id for n in [3, *range(PAGE, total)]} == {one.id for one in second.keys}
    assert second.version == second.upto


async def test_one_of_many_who_want_a_name_gets_it(open_store):
    """All at once, through connections of their own."""

    async def attempt(n):
        async with open_store() as store:
            try:
                await store.put(key(n, "wanted"))
            except KeyConflict:
                return 0
            return 1

    async with open_store() as store:
        assert 1 == sum(await asyncio.gather(*(attempt(n) for n in range(20))))
        assert 1 == len(await everything(store))


async def test_what_a_store_lost_is_given_back_to_it(open_store):
    """Later states only: what was revoked meanwhile stays so, and a name that was given again stays there."""
    async with open_store() as store:
        await store.put(key(1, "a"))
        await store.put(revoked(key(1, "a"), AT))
        await store.put(key(2, "b"))
        await store.restore([key(1, "a"), key(3, "b"), key(4, "c"), changed(key(2, "b"), "b2", WHOLE)])
        found = await everything(store)

        assert {1: "revoked", 2: "active", 3: "active", 4: "active"} == {
            n: found[key(n).id].status(AT) for n in (1, 2, 3, 4)
        }
        assert (2, "b2") == (found[key(2).id].revision, found[key(2).id].name)
        version = (await store.changes(0)).version
        await store.restore(list(found.values()))
        assert version == (await store.changes(0)).version
        with pytest.raises(KeyConflict):
            await store.put(key(5, "c"))


#: Every example has keys of its own.
EXAMPLES = count(1)
OPERATIONS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["add", "rename", "rotate", "revoke", "stale"]), st.integers(0, 2)),
    max_size=15,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_a_store_does_what_a_dictionary_would(open_store, operations):
    """Whatever is done to it: the same keys, the same refusals, every change in the order of its making."""
    asyncio.run(_compare(open_store, operations))


async def _compare(open_store, operations):
    async with open_store() as store:
        await store.restore([revoked(one, AT) for one in (await everything(store)).values() if one.revoked_at is None])
        start, offset = (await store.changes(0)).version, 1000 * next(EXAMPLES)
        model = {}
        for n, operation, name in operations:
            state = _next(model.get(n), key(offset + n, f"n{name}"), operation, f"n{name}")
            with pytest.raises(KeyConflict) if _refused(model, n, state) else nullcontext() as refused:
                await store.put(state)
            if refused is None:
                model[n] = state
        found = await everything(store)
        assert all(found[one.id] == one for one in model.values())
        assert {one.id for one in (await store.changes(start)).keys} == {one.id for one in model.values()}


def _next(state, new, operation, name):
    if operation == "add" or state is None:
        return new
    if operation == "stale" or state.revoked_at is not None:
        return replace(state, revision=state.revision + 2)
    if operation == "rename":
        return replace(state, name=name, revision=state.revision + 1)
    if operation == "rotate":
        return rotated(state, secret(state.revision), HOUR, AT)
    return revoked(state, AT)


def _refused(model, n, state):
    before = model.get(n)
    if before == state:
        return False
    holders = {m for m, one in model.items() if one.name == state.name and one.revoked_at is None}
    taken = state.revoked_at is None and bool(holders - {n})
    return taken or (before.revision if before else 0) != state.revision - 1
