from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gateway.redeciding.possible import may_hold, with_dependents
from gateway.rules.parse import parse_condition
from gateway.rules.projections import parse_projections
from gateway.signals.base import Kind
from tests.gateway.rules.written import FEATURES, KNOWN, draw_condition, draw_features

if TYPE_CHECKING:
    from gateway.rules.conditions import Condition

SIGNALS = {"domain": Kind.TEXT, "n": Kind.NUMBER, "m": Kind.NUMBER}


def condition(written) -> Condition:
    return parse_condition(written, SIGNALS)


def test_what_does_not_depend_on_the_unseen_is_told():
    """A part that decides, decides."""
    either = condition({"any": [{"domain": "law"}, {"n": {"above": 1}}]}).expression
    both = condition({"domain": "law", "n": {"above": 1}}).expression

    assert (True, False) == (may_hold(either, {"domain": "law"}, {"n"}), may_hold(both, {"domain": "code"}, {"n"}))


def test_what_depends_on_the_unseen_is_not_told():
    """Also a question for presence, and its contrary: nobody looked."""
    asked = [
        {"n": 1},
        {"not": {"n": 1}},
        {"n": {"present": True}},
        {"n": {"present": False}},
        {"domain": "law", "n": 1},
    ]

    assert [None] * 5 == [may_hold(condition(one).expression, {"domain": "law"}, {"n"}) for one in asked]


def test_what_a_signal_did_not_find_is_not_the_unseen():
    """It is absent, which rules can tell."""
    assert may_hold(condition({"n": {"present": False}}).expression, {}, set())
    assert may_hold(condition({"n": 1}).expression, {}, set()) is False


def test_projections_of_the_unseen_are_unseen():
    """One after the other."""
    written = {"a": {"score": {"n": 1}}, "b": {"score": {"a": 1}}, "c": {"score": {"m": 1}}}
    projections = parse_projections(written, SIGNALS)

    assert {"n", "a", "b"} == with_dependents(frozenset({"n"}), projections)


@given(st.integers(0, 2**32))
def test_what_is_told_is_right_whatever_the_unseen_are(seed):
    """An answer holds for features drawn at random in place of the unseen ones."""
    random = Random(seed)
    drawn = parse_condition(draw_condition(random, 3), KNOWN)
    features, unseen = draw_features(random), set(random.sample(FEATURES, 2))
    told = may_hold(drawn.expression, features, unseen)

    for _ in range(5):
        others = draw_features(random)
        complete = {name: value for name, value in features.items() if name not in unseen}
        complete |= {name: value for name, value in others.items() if name in unseen}
        assert told in (None, drawn.holds(complete))
