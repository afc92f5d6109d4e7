from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.errors import RequestError
from gateway.keys.errors import KeyConflict, KeyNotFound, KeyRevoked
from gateway.keys.key import KeyQuota
from gateway.keys.registry import Registry
from gateway.keys.ring import KeyRing
from gateway.keys.vocabulary import Vocabulary
from gateway.keys.written import KeyChange, NewKey
from tests.gateway.keys.made import AT, HOUR

VOCABULARY = Vocabulary(["small", "large"], ["auto"], ["public", "internal"])


@asynccontextmanager
async def registry_on(store):
    ring = KeyRing(store)
    try:
        yield Registry(ring, VOCABULARY), ring
    finally:
        await ring.aclose()


def new(name="alice", **fields):
    return NewKey.model_validate({"name": name, **fields})


async def test_a_key_is_good_where_it_was_made_at_once(open_store, caplog):
    """And its secret is nowhere but in the answer."""
    caplog.set_level(logging.DEBUG)
    async with open_store() as store, registry_on(store) as (registry, ring):
        made = await registry.create(new(team="blue"), AT)
        assert ("blue", made.key.id) == ((access := ring.admit(made.secret, AT)).caller.team, access.key)
        assert made.secret[3:] not in str(await registry.all())
    assert "key.created" in caplog.text
    assert made.secret[3:] not in caplog.text + str([vars(record) for record in caplog.records])


async def test_a_rotation_keeps_the_id(open_store):
    """Budgets go by it; both secrets are good for a while."""
    async with open_store() as store, registry_on(store) as (registry, ring):
        made = await registry.create(new(), AT)
        again = await registry.rotate("alice", HOUR, AT)
        shown = [ring.admit(secret, AT).key for secret in (made.secret, again.secret)]

    assert [made.key.id] * 2 == shown
    assert made.secret != again.secret


async def test_a_change_leaves_the_rest_as_it_is(open_store):
    """Null is the default again; what is not given stays."""
    async with open_store() as store, registry_on(store) as (registry, _):
        made = await registry.create(new(models=["small"], role="admin", expires_at=AT + HOUR), AT)
        change = KeyChange.model_validate({"models": None, "quotas": [{"unit": "concurrent", "amount": 3}]})
        changed = await registry.change(made.key.id, change)

        assert (None, "admin", AT + HOUR) == (changed.scopes.models, changed.scopes.role, changed.scopes.expires_at)
        assert (KeyQuota("concurrent", Decimal(3)),) == changed.scopes.quotas
        assert ("bob", changed.scopes) == (
            (renamed := await registry.change("alice", KeyChange(name="bob"))).name,
            renamed.scopes,
        )
        with pytest.raises(KeyNotFound):
            await registry.find("alice")


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"models": ["smal"]}, "models", "No model 'smal' exists; did you mean 'small'"),
        ({"deny_models": ["auto"]}, "deny_models", "No model 'auto'"),
        ({"policies": ["small", "autos"]}, "policies", "No policy or model 'autos' exists; did you mean 'auto'"),
        ({"data_class": "secret"}, "data_class", "No data class 'secret' exists; known: internal, public"),
        ({"expires_at": AT}, "expires_at", "in the past"),
    ],
)
async def test_scopes_that_name_nothing_are_refused(open_store, fields, param, said):
    """They would seem to hold."""
    async with open_store() as store, registry_on(store) as (registry, _):
        with pytest.raises(RequestError, match=said) as refused:
            await registry.create(new(**fields), AT)
        assert (param, 400) == (refused.value.param, refused.value.status)
        assert [] == await registry.all()


async def test_what_a_key_had_before_does_not_keep_it_from_being_changed(open_store):
    """A model that is gone is refused when it is named, not where it stays."""
    async with open_store() as store, registry_on(store) as (registry, ring):
        await registry.create(new(models=["large"]), AT)
        smaller = Registry(ring, Vocabulary(["small"], [], []))

        assert ("large",) == (await smaller.change("alice", KeyChange(role="admin"))).scopes.models
        with pytest.raises(RequestError, match="No model 'large'"):
            await smaller.change("alice", KeyChange(models=("large",)))


async def test_what_is_not_there_is_not_found_and_what_is_revoked_stays_so(open_store):
    """By each way of asking."""
    async with open_store() as store, registry_on(store) as (registry, _):
        made = await registry.create(new(), AT)
        with pytest.raises(KeyConflict):
            await registry.create(new(), AT)
        assert await registry.revoke("alice", AT) == await registry.revoke(made.key.id, AT + HOUR)
        with pytest.raises(KeyRevoked):
            await registry.rotate(made.key.id, HOUR, AT)
        with pytest.raises(KeyRevoked):
            await registry.change(made.key.id, KeyChange(role="admin"))
        for attempt in (registry.find("alice"), registry.revoke("alice", AT), registry.rotate("x\0", HOUR, AT)):
            with pytest.raises(KeyNotFound):
                await attempt
        assert "alice" == (await registry.create(new(), AT + timedelta(seconds=1))).key.name


async def test_of_many_rotations_at_once_each_is_seen_or_refused(open_store):
    """No secret is told that is not good."""
    async with open_store() as store, registry_on(store) as (registry, ring), open_store() as store_2:
        await registry.create(new(), AT)
        other = Registry(KeyRing(store_2), VOCABULARY)
        attempts = [one.rotate("alice", HOUR, AT) for one in (registry, other) for _ in range(5)]
        made = await asyncio.gather(*attempts, return_exceptions=True)
        secrets = [one.secret for one in made if not isinstance(one, BaseException)]
        assert {KeyConflict} >= {type(one) for one in made if isinstance(one, BaseException)}
        await ring.refresh()
        assert secrets
        assert all(ring.admit(secret, AT) for secret in secrets)
