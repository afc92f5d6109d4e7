from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.callers import MAX_SHOWN, OPEN, Access, Callers
from gateway.constraints import UNBOUNDED, Constraints
from gateway.errors import Unauthorized
from gateway.signals.base import NOBODY, Caller

AT = datetime(2026, 11, 22, tzinfo=UTC)
ALICE = Access(Caller("alice", "admin"), Constraints(deny=frozenset({"m"})), debug=True)


def test_a_key_gives_access_to_what_it_stands_for():
    """Exactly the key: no part of it, and nothing around it."""
    callers = Callers({"sk-alice": ALICE, "sk-nobody": Access()})

    assert ALICE == callers.identify("sk-alice")
    assert Access(NOBODY, UNBOUNDED, debug=False) == callers.identify("sk-nobody")
    for wrong in ("", "sk-alic", "sk-alice ", "sk-aliceX", "SK-ALICE", "sk-älice", "\ud7ff"):
        assert callers.identify(wrong) is None


def test_keys_need_not_be_ascii():
    """They are compared as UTF-8."""
    assert ALICE == Callers({"schlüssel": ALICE}).identify("schlüssel")


def test_without_keys_the_gateway_is_open():
    """Then everyone may see how decisions are made, and is bound by nothing."""
    assert Callers({}).open
    assert not Callers({"k": ALICE}).open
    assert Callers({}).identify("anything") is None
    assert Access(NOBODY, UNBOUNDED, debug=True) == OPEN


async def test_who_shows_what_is_none_of_the_keys_is_not_admitted():
    """Long ones are not even looked at."""
    callers = Callers({"sk-alice": ALICE, "x" * MAX_SHOWN: ALICE, "y" * (MAX_SHOWN + 1): ALICE})

    assert ALICE == await callers.admit("sk-alice", AT)
    assert ALICE == await callers.admit("x" * MAX_SHOWN, AT)
    for shown in ("", "sk-bob", "pm-x", "a.b.c", "\0", "y" * (MAX_SHOWN + 1), "z" * 1_000_000, "\ud800"):
        with pytest.raises(Unauthorized, match="Incorrect API key provided"):
            await callers.admit(shown, AT)


def test_the_admin_key_is_no_callers_key():
    """Nor is a caller's the admin's; where there is none, nothing is."""
    callers = Callers({"sk-alice": ALICE}, admin_key="an-admin-key-of-length")

    assert [True, False, False, False] == [
        callers.is_admin(shown) for shown in ("an-admin-key-of-length", "an-admin-key-of-lengt", "sk-alice", "")
    ]
    assert None is callers.identify("an-admin-key-of-length")
    assert [False, False] == [Callers({}).is_admin(shown) for shown in ("", "x")]


def test_what_a_key_names_bounds_what_may_be_asked_for():
    """One of the names of a thing is enough; models that may not answer are told apart by their own bounds."""
    access = Access(constraints=Constraints(allow=frozenset({"a", "b"}), deny=frozenset({"b"})), names=frozenset({"p"}))

    assert [True, True, False] == [access.may_ask("p"), access.may_ask("p:0.3", "p"), access.may_ask("p:0.3")]
    assert [True, False, False] == [access.may_answer(model) for model in ("a", "b", "c")]
    assert Access().may_ask("anything")
    assert not Access(names=frozenset()).may_ask("", "p")
