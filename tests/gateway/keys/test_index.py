from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.callers import Access
from gateway.constraints import Constraints
from gateway.errors import Unauthorized
from gateway.keys.index import KeyIndex
from gateway.keys.issuing import changed, revoked, rotated
from gateway.keys.secret import digest_of
from gateway.signals.base import Caller
from tests.gateway.keys.made import AT, HOUR, WHOLE, key, secret


def index_of(*keys):
    index = KeyIndex()
    index.take(keys)
    return index


def admit(index, shown, at=AT):
    """Return whose secret it is, and why it is refused."""
    try:
        access = index.admit(digest_of(shown), at)
    except Unauthorized as error:
        return str(error)
    return None if access is None else access.key


def test_a_secret_gives_what_its_key_allows():
    """All of it reaches the decision."""
    index = index_of(changed(key(1), "alice", WHOLE), key(2))

    expected = Access(
        Caller("alice", "admin", "blue", ("a", "b")),
        Constraints(
            max_cost_usd=0.25,
            allow=frozenset({"small"}),
            deny=frozenset({"large"}),
            data_classes=frozenset({"internal"}),
        ),
        debug=True,
        names=frozenset({"auto", "small"}),
        key=key(1).id,
        user="ann",
        quotas=WHOLE.quotas,
    )
    assert expected == index.admit(digest_of(secret(1)), AT)
    assert Access(Caller("name-2"), key=key(2).id) == index.admit(digest_of(secret(2)), AT)


@pytest.mark.parametrize("wrong", ["", "pm-", secret(1)[:-1], secret(1) + "x", secret(1).upper(), secret(3)])
def test_only_a_whole_secret_is_one(wrong):
    """No part of it, and nothing around it."""
    assert None is admit(index_of(key(1)), wrong)


def test_who_is_refused_hears_why():
    """A secret that was good once says more than one that never was."""
    ends = {"expires_at": AT + HOUR}
    index = index_of(key(1, **ends), revoked(key(2), AT), rotated(key(3), secret(4), HOUR, AT))

    assert key(1).id == admit(index, secret(1), AT + HOUR - timedelta(seconds=1))
    assert "This API key has expired." == admit(index, secret(1), AT + HOUR)
    assert "This API key was revoked." == admit(index, secret(2))
    assert key(3).id == admit(index, secret(3))
    assert "This API key has expired: it was replaced by another one." == admit(index, secret(3), AT + HOUR)
    assert key(3).id == admit(index, secret(4), AT + HOUR)


def test_a_key_is_found_by_id_and_by_name():
    """A name leads to the key that has it now; one that was revoked has none."""
    index = index_of(key(1, "a"), key(2, "b"))
    assert (key(1, "a"), key(2, "b"), None) == (index.find("a"), index.find(key(2).id), index.find("c"))

    index.take([revoked(index.find("a"), AT), changed(index.find("b"), "a", WHOLE)])
    assert (key(2).id, None) == (index.find("a").id, index.find("b"))
    assert "revoked" == index.find(key(1).id).status(AT)


def test_a_key_that_was_revoked_does_not_take_the_name_of_another():
    """Whichever is heard of first."""
    old = key(1, "a")
    for states in ([old, revoked(old, AT), key(2, "a")], [old, key(2, "a"), revoked(old, AT)]):
        assert key(2).id == index_of(*states).find("a").id


@given(st.data())
def test_states_may_come_in_any_order(data):
    """The latest of each key counts: a revocation that overtakes a change is not undone by it."""
    states = []
    for n in range(3):
        one = key(n)
        states.append(one)
        for step in data.draw(st.lists(st.sampled_from(["rotate", "rename", "revoke"]), max_size=4)):
            if one.revoked_at is None:
                new = secret(100 + 10 * n + one.revision)
                steps = {
                    "rotate": lambda one=one, new=new: rotated(one, new, timedelta(0), AT),
                    "rename": lambda one=one: changed(one, f"{one.name}x", one.scopes),
                    "revoke": lambda one=one: revoked(one, AT),
                }
                one = steps[step]()
                states.append(one)
    shuffled = data.draw(st.permutations(states + states[:2]))

    assert index_of(*states).all() == index_of(*shuffled).all()
    for n in [*range(3), *(100 + 10 * m + k for m in range(3) for k in range(5))]:
        assert admit(index_of(*states), secret(n)) == admit(index_of(*shuffled), secret(n))
