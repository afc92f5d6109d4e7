from __future__ import annotations

import math

import pytest

from gateway.rules import ConditionError, parse_condition, parse_defaults, with_defaults
from gateway.signals.base import Kind

KNOWN = {"domain": Kind.TEXT, "risk": Kind.NUMBER, "loop": Kind.TRUTH, "pii": Kind.TEXTS, "metadata.*": Kind.TEXT}
WRITTEN = {"domain": "other", "risk": 1, "loop": False, "pii": [], "metadata.tier": "free"}


def test_defaults_are_read_by_kind():
    """A list may be empty here: it is a value, not a comparison."""
    expected = {"domain": "other", "risk": 1.0, "loop": False, "pii": (), "metadata.tier": "free"}

    assert expected == parse_defaults(WRITTEN, KNOWN)
    assert {"pii": ("email",)} == parse_defaults({"pii": ["email"]}, KNOWN)


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ([], (), "needs a mapping"),
        ({"domian": "x"}, ("domian",), "did you mean 'domain'"),
        ({"metadata.*": "x"}, ("metadata.*",), "unknown feature"),
        ({"domain": 3}, ("domain",), "needs a text, not 3"),
        ({"domain": ["a"]}, ("domain",), "needs a text, not a list"),
        ({"risk": "high"}, ("risk",), "needs a number, not 'high'"),
        ({"risk": math.nan}, ("risk",), "finite"),
        ({"loop": 0}, ("loop",), "needs true or false, not 0"),
        ({"pii": "email"}, ("pii",), "needs a list"),
        ({"pii": ["a", 1]}, ("pii", 1), "needs a text, not 1"),
    ],
)
def test_a_default_of_another_kind_is_refused(written, place, message):
    """With the place, and what is needed."""
    with pytest.raises(ConditionError, match=message) as caught:
        parse_defaults(written, KNOWN)

    assert place == caught.value.place


def test_a_default_stands_in_for_what_is_absent_only():
    """What is known stays, false, empty and zero too; NaN is not known."""
    defaults = parse_defaults(WRITTEN, KNOWN)

    assert {**defaults, "risk": 0.0, "domain": ""} == with_defaults({"risk": 0.0, "domain": ""}, defaults)
    assert 1.0 == with_defaults({"risk": math.nan}, defaults)["risk"]
    assert {"x": 1.0} == with_defaults({"x": 1.0}, {})


def test_a_default_makes_an_unknown_condition_decided():
    """Which is what it is for."""
    condition = parse_condition({"not": {"risk": {"above": 0.5}}}, KNOWN)

    assert condition.check({}).holds is None
    assert condition.check(with_defaults({}, {"risk": 1.0})).holds is False
    assert condition.check(with_defaults({}, {"risk": 0.0})).holds is True
