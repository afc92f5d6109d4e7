from __future__ import annotations

import json

import pytest

from gateway.api.options import Asked, read_options
from gateway.constraints import UNBOUNDED, Constraints
from gateway.data_class import DataClassRules
from gateway.errors import RequestError
from providers.chat import parse_chat
from tests.gateway.worlds import decider, policy, pool

DECIDER = decider(policy(pool=pool("small", "large")), classes=DataClassRules())
RAW = b'{"model": "p", "messages": [ ], "x": 1e-7, "top_p":1.10}'


def read(headers=None, pointsman=None, deciding=DECIDER):
    """Return the request and the constraints that are read of it."""
    member = b"" if pointsman is None else b', "pointsman": ' + json.dumps(pointsman).encode() + b"}"
    raw = RAW if pointsman is None else RAW[:-1] + member
    chat, asked = read_options(parse_chat(raw), {f"x-pointsman-{n}": v for n, v in (headers or {}).items()}, deciding)
    return chat, asked.constraints


def test_who_asks_for_nothing_is_bound_by_nothing():
    """And the request is the same object."""
    chat = parse_chat(RAW)

    assert (chat, Asked(UNBOUNDED)) == read_options(chat, {"x-other": "1", "x-pointsman-debug": "1"}, DECIDER)


@pytest.mark.parametrize(
    ("headers", "body", "asked"),
    [
        ({"priority": "low"}, None, Asked(UNBOUNDED, "low")),
        ({"priority": "low"}, {"priority": "normal"}, Asked(UNBOUNDED, "low")),
        ({"include-cost": "true"}, None, Asked(UNBOUNDED, include_cost=True)),
        ({"include-cost": "0"}, {"include_cost": True}, Asked(UNBOUNDED, include_cost=True)),
        (None, {"include_cost": False}, Asked(UNBOUNDED)),
    ],
)
def test_wishes_come_by_header_or_member(headers, body, asked):
    """The less urgent of two priorities holds."""
    raw = RAW if body is None else RAW[:-1] + b', "pointsman": ' + json.dumps(body).encode() + b"}"
    shown = {f"x-pointsman-{name}": value for name, value in (headers or {}).items()}

    assert asked == read_options(parse_chat(raw), shown, DECIDER)[1]


@pytest.mark.parametrize(
    ("headers", "body", "constraints"),
    [
        ({"quality-weight": "0.25"}, {"quality_weight": 0.25}, Constraints(quality_weight=0.25)),
        ({"quality-weight": "best"}, {"quality_weight": "best"}, Constraints(quality_weight=1.0)),
        ({"quality-weight": "cheap"}, {"quality_weight": "cheap"}, Constraints(quality_weight=0.0)),
        ({"max-cost-usd": "0.01"}, {"max_cost_usd": 0.01}, Constraints(max_cost_usd=0.01)),
        ({"max-latency-s": "2"}, {"max_latency_s": 2}, Constraints(max_latency_s=2)),
        ({"allow-models": "small"}, {"allow_models": ["small"]}, Constraints(allow=frozenset({"small"}))),
        ({"allow-models": ""}, {"allow_models": []}, Constraints(allow=frozenset())),
        ({"deny-models": " small ,large,"}, {"deny_models": ["small", "large"]}, Constraints(deny=frozenset({"small", "large"}))),
        ({"data-class": "internal"}, {"data_class": "internal"}, Constraints(data_classes=frozenset({"internal"}))),
    ],
)  # fmt: skip
def test_a_header_and_a_member_say_the_same(headers, body, constraints):
    """Whichever a client can send; the gateway's own member does not travel on."""
    assert constraints == read(headers)[1]
    chat, asked = read(pointsman=body)
    assert (constraints, RAW and json.loads(RAW)) == (asked, dict(chat.body))
    assert "pointsman" not in chat.text
    for kept in ("1e-7", "1.10", "[ ]"):
        assert kept in chat.text


def test_both_are_held_together():
    """The tighter of two bounds, both claims, and the body's dial."""
    headers = {"max-cost-usd": "0.01", "deny-models": "small", "data-class": "internal", "quality-weight": "0.1"}
    body = {"max_cost_usd": 0.5, "deny_models": ["large"], "data_class": "public", "quality_weight": 0.9}

    assert (
        Constraints(
            quality_weight=0.9,
            max_cost_usd=0.01,
            deny=frozenset({"small", "large"}),
            data_classes=frozenset({"internal", "public"}),
        )
        == read(headers, body)[1]
    )


@pytest.mark.parametrize(
    ("headers", "body", "param"),
    [
        ({"quality-weight": "2"}, None, "x-pointsman-quality-weight"),
        ({"quality-weight": "nan"}, None, "x-pointsman-quality-weight"),
        ({"quality-weight": "dear"}, None, "x-pointsman-quality-weight"),
        ({"quality-weight": "0.1, 0.2"}, None, "x-pointsman-quality-weight"),
        ({"max-cost-usd": "-1"}, None, "x-pointsman-max-cost-usd"),
        ({"max-cost-usd": "inf"}, None, "x-pointsman-max-cost-usd"),
        ({"max-cost-usd": ""}, None, "x-pointsman-max-cost-usd"),
        ({"max-latency-s": "0"}, None, "x-pointsman-max-latency-s"),
        ({"allow-models": "smal"}, None, "allow_models"),
        ({"deny-models": "small,p"}, None, "deny_models"),
        ({"data-class": "secret"}, None, "data_class"),
        ({"data-class": ""}, None, "data_class"),
        ({"data-class": "public, internal"}, None, "data_class"),
        (None, {"quality_weight": True}, "pointsman.quality_weight"),
        (None, {"max_cost_usd": True}, "pointsman.max_cost_usd"),
        (None, {"max_cost_usd": [1]}, "pointsman.max_cost_usd"),
        (None, {"max_latency_s": "soon"}, "pointsman.max_latency_s"),
        (None, {"max_latency_s": False}, "pointsman.max_latency_s"),
        (None, {"deny_models": None}, "pointsman.deny_models"),
        (None, {"deny_models": [1]}, "pointsman.deny_models"),
        (None, {"deny_models": {"small": 1}}, "pointsman.deny_models"),
        (None, {"data_class": 1}, "pointsman.data_class"),
        (None, {"max_cost": 1}, "pointsman.max_cost"),
        (None, {"": 1}, "pointsman."),
        (None, [], "pointsman"),
        (None, "cheap", "pointsman"),
    ],
)  # fmt: skip
def test_what_cannot_be_respected_is_refused(headers, body, param):
    """It must not seem to be; the error names what is wrong."""
    with pytest.raises(RequestError) as caught:
        read(headers, body)

    assert (400, param) == (caught.value.status, caught.value.param)
    assert caught.value.code in ("invalid_option", "invalid_type")


def test_null_as_a_member_is_no_object():
    """`null` is refused as any other thing that is none."""
    chat = parse_chat(RAW[:-1] + b', "pointsman": null}')
    with pytest.raises(RequestError, match="must be an object"):
        read_options(chat, {}, DECIDER)


def test_a_near_miss_is_named():
    """The answer says what there is."""
    for headers, body, hint in (
        ({"deny-models": "smal"}, None, "did you mean 'small'"),
        ({"data-class": "internl"}, None, "did you mean 'internal'"),
        (None, {"max_cost": 1}, "did you mean 'max_cost_usd'"),
    ):
        with pytest.raises(RequestError, match=hint):
            read(headers, body)


def test_a_gateway_without_classes_takes_no_claim():
    """Not even of a class that others have."""
    with pytest.raises(RequestError, match="this gateway has no data classes"):
        read({"data-class": "public"}, deciding=decider(policy(pool=pool("small"))))


@pytest.mark.parametrize("name", ["x-pointsman-dataclass", "x-pointsman-max-cost", "x-pointsman-"])
def test_a_header_of_ours_that_there_is_not_is_refused(name):
    """A misspelt bound must not seem to be respected."""
    with pytest.raises(RequestError, match="no header of this gateway") as refused:
        read_options(parse_chat(RAW), {name: "restricted"}, DECIDER)

    assert (name, "invalid_option") == (refused.value.param, refused.value.code)
