from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.signals.base import Kind
from gateway.signals.request import messages_of
from tests.gateway.signals.checks import check_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COUNT = itertools.count()


@dataclass(frozen=True)
class Played:
    """A signal that finds what it is told to."""

    finds: Callable
    provides: Mapping[str, Kind] = field(default_factory=lambda: {"steady": Kind.NUMBER, "steady.*": Kind.TEXT})
    name: str = "steady"
    reads_embedding: bool = False
    blocking: bool = False

    def read(self, request, _embedding):
        return self.finds(request)


def meddles(request):
    request.body["seen"] = True
    return {}


def is_quadratic(request):
    time.sleep((len(request.text) / 2**20) ** 2 / 2)
    return {}


def test_a_signal_that_keeps_the_rules_passes():
    """The battery itself demands nothing impossible."""
    check_signal(Played(lambda request: {"steady": float(len(messages_of(request.body))), "steady.a": "b"}))


@pytest.mark.parametrize(
    "finds",
    [
        lambda _: {"steady": True},
        lambda _: {"steady": None},
        lambda _: {"steady.a": 1.0},
        lambda _: {"other": 1.0},
        lambda _: {"steady": float("nan")},
        lambda _: {"steady": float(next(COUNT))},
        meddles,
        is_quadratic,
    ],
)
def test_a_signal_that_breaks_a_rule_is_found_out(finds):
    """Each rule of the battery can fail."""
    with pytest.raises(AssertionError):
        check_signal(Played(finds))


@pytest.mark.parametrize(
    "wrong",
    [{"name": "Not a name"}, {"provides": {}}, {"provides": {"a b": Kind.TEXT}}, {"provides": {"a.*": Kind.NUMBER}}],
)
def test_a_signal_that_describes_itself_wrongly_is_found_out(wrong):
    """Rules are checked against what signals say that they provide."""
    with pytest.raises(AssertionError):
        check_signal(Played(lambda _: {}, **wrong))


def test_a_signal_that_raises_is_found_out():
    """`messages` may be anything."""
    with pytest.raises(TypeError):
        check_signal(Played(lambda request: {"steady": float(len(request.body.get("messages", [])))}))
