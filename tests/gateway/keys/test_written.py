from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.keys.key import Scopes
from gateway.keys.written import KeyChange, NewKey, Rotation
from tests.gateway.keys.made import WHOLE


def test_all_that_a_key_may_allow_can_be_written():
    """Every scope has its field, and arrives."""
    written = {
        "name": "alice",
        "models": ["small"],
        "deny_models": ["large"],
        "policies": ["auto", "small"],
        "data_class": "internal",
        "max_cost_usd": 0.25,
        "role": "admin",
        "team": "blue",
        "user": "ann",
        "tags": ["a", "b"],
        "debug": True,
        "expires_at": "2026-11-22T13:00:00Z",
        "quotas": [{"unit": "usd", "amount": "5.50", "window": "month"}, {"unit": "concurrent", "amount": 4}],
    }
    assert WHOLE == NewKey.model_validate(written).scopes(Scopes())
    assert WHOLE == KeyChange().scopes(WHOLE)
    assert Scopes() == KeyChange.model_validate(
        dict.fromkeys(("models", "policies", "data_class", "max_cost_usd", "expires_at"))
        | {"deny_models": [], "role": "", "team": "", "user": "", "tags": [], "debug": False, "quotas": []}
    ).scopes(WHOLE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("name", "a\nb"),
        ("name", "key_1"),
        ("name", "x" * 129),
        ("name", "ключ"),
        ("role", "a\0b"),
        ("team", "a\r\nb"),
        ("user", "x" * 257),
        ("tags", ["\x1b[31m"]),
        ("tags", ["\ud800"]),
        ("max_cost_usd", -1),
        ("max_cost_usd", float("nan")),
        ("expires_at", "2026-11-22T13:00:00"),
        ("models", "small"),
        ("modls", ["small"]),
        ("secret", "pm-mine"),
        ("quotas", [{"unit": "requests", "amount": 1}]),
        ("quotas", [{"unit": "requests", "amount": 1.5, "window": "day"}]),
        ("quotas", [{"unit": "concurrent", "amount": 1, "window": "day"}]),
        ("quotas", [{"unit": "usd", "amount": 0, "window": "day"}]),
        ("quotas", [{"unit": "usd", "amount": "NaN", "window": "day"}]),
        ("quotas", [{"unit": "usd", "amount": "1e99", "window": "day"}]),
        ("quotas", [{"unit": "usd", "amount": "0.0000000001", "window": "day"}]),
        ("quotas", [{"unit": "tokens", "amount": 1, "window": "year"}]),
        ("quotas", [{"unit": "usd", "amount": n, "window": "day"} for n in (1, 2)]),
    ],
)
def test_what_makes_no_sense_is_refused(field, value):
    """Names that could forge lines of a log, bounds that bind nothing, quotas that nobody could keep to."""
    with pytest.raises(ValidationError) as refused:
        NewKey.model_validate({"name": "alice", field: value})
    assert field == refused.value.errors()[0]["loc"][0]


@pytest.mark.parametrize("grace_s", [-1, float("inf"), 32 * 86_400, "long"])
def test_a_grace_period_is_at_most_a_month(grace_s):
    """Longer, it would be another key."""
    with pytest.raises(ValidationError):
        Rotation(grace_s=grace_s)
