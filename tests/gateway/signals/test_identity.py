from __future__ import annotations

from gateway.signals.base import Caller
from gateway.signals.identity import Identity
from tests.gateway.signals.bodies import request
from tests.gateway.signals.checks import check_signal


def read(caller):
    return Identity().read(request({"messages": []}, caller=caller), None)


def test_it_passes_the_battery():
    """What holds for every signal."""
    check_signal(Identity())


def test_the_caller_is_named():
    """As far as the key tells."""
    expected = {"caller": "ann", "role": "admin", "team": "law", "caller.tags": ("a",)}

    assert expected == read(Caller("ann", "admin", "law", ("a",)))


def test_what_nobody_has_given_is_left_out():
    """An empty name is no name."""
    assert {"caller": "ann"} == read(Caller("ann"))
    assert {} == read(Caller())
