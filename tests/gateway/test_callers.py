from __future__ import annotations

from gateway.callers import OPEN, Access, Callers
from gateway.constraints import UNBOUNDED, Constraints
from gateway.signals.base import NOBODY, Caller

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
