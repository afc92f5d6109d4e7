"""Who calls, by key, and what each may ask for: callers tighten, and never loosen."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import httpx2
import pytest

POLICIES = {
    "p": {
        "pool": ["good", "other", "no-usage", "unpriced"],
        "router": {
            "type": "estimating",
            "estimator": {"type": "constant"},
            "rule": {"type": "greedy", "floor": 1},
        },
        "dial": {"min": 0.2, "max": 0.8},
        "rules": [
            {"name": "admins", "when": {"role": "admin"}, "pool": ["good"]},
            {"name": "team", "when": {"team": "blue"}, "pool": ["other"]},
        ],
    },
    "flat": {"pool": ["good", "other"], "router": {"type": "random"}},
}
CALLERS = {
    "root": {"key": "sk-root", "role": "admin"},
    "blue": {"key": "sk-blue", "team": "blue", "tags": ["x"]},
    "thrifty": {"key": "sk-thrifty", "max_cost_usd": 0.01, "deny_models": ["good"]},
    "bound": {"key": "sk-bound", "allow_models": ["good", "other"]},
}
ASK = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def running(serve):
    return serve(POLICIES, callers=CALLERS, server={"api_keys": "sk-shared, sk-second"}, store={"type": "memory"})


def post(running, key="sk-shared", headers=None, model="p", path="/v1/chat/completions", **body):
    shown = {"authorization": f"Bearer {key}"} if key else {}
    whole = {"model": model, "messages": ASK, **body}
    return httpx2.post(f"{running.url}{path}", json=whole, headers={**shown, **(headers or {})}, timeout=20)


def chances(running, key="sk-shared", headers=None, **body):
    """Return who may answer, with what probability."""
    told = post(running, key, headers, path="/v1/route", **body).json()
    return {one["model"]: one["propensity"] for one in told["candidates"]}


@pytest.mark.parametrize(
    "shown",
    [None, "Bearer", "Bearer sk-wrong", "Basic sk-root", "sk-root", "Bearer sk-root x", "Bearer s\xebk"],
)
def test_who_shows_no_key_is_not_served(running, upstream, shown):
    """Neither is who shows a wrong one; nothing is sent."""
    headers = {"authorization": shown.encode("latin-1")} if shown else {}
    answer = httpx2.post(f"{running.url}/v1/chat/completions", json={"model": "p", "messages": ASK}, headers=headers)

    assert (401, "invalid_api_key") == (answer.status_code, answer.json()["error"]["code"])
    assert [] == upstream.requests


@pytest.mark.parametrize(
    ("key", "pool"),
    [
        ("sk-shared", {"good", "other", "no-usage", "unpriced"}),
        ("sk-second", {"good", "other", "no-usage", "unpriced"}),
        ("sk-root", {"good"}),
        ("sk-blue", {"other"}),
        ("sk-thrifty", {"other", "no-usage"}),
        ("sk-bound", {"good", "other"}),
    ],
)
def test_a_key_says_who_calls_and_what_that_allows(running, key, pool):
    """Rules ask for role and team; the key's bounds hold; a model without a price may cost too much."""
    assert pool == set(chances(running, key))
    assert {1.0} == {round(sum(chances(running, key).values()), 9)}


@pytest.mark.parametrize(
    ("headers", "body", "pool"),
    [
        ({}, {"allow_models": ["good", "other"]}, {"other"}),
        ({"allow-models": "other,good"}, {}, {"other"}),
        ({"deny-models": "other"}, {}, {"no-usage"}),
        ({"deny-models": "other"}, {"deny_models": []}, {"no-usage"}),
        ({"max-cost-usd": "100"}, {"max_cost_usd": 100}, {"other", "no-usage"}),
        ({"allow-models": "other"}, {"allow_models": ["no-usage", "other"]}, {"other"}),
    ],
)
def test_no_wish_lifts_what_the_key_denies(running, headers, body, pool):
    """`good` is denied to this caller, and unknown prices are too dear, whatever it asks for."""
    named = {f"x-pointsman-{name}": value for name, value in headers.items()}

    assert pool == set(chances(running, "sk-thrifty", named, pointsman=body))


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({"allow-models": "good"}, {}, "no_eligible_model"),
        ({}, {"max_cost_usd": 0}, "no_eligible_model"),
        ({"allow-models": "other"}, {"allow_models": ["no-usage"]}, "no_eligible_model"),
    ],
)
def test_where_wish_and_key_leave_nobody_nobody_answers(running, upstream, headers, body, error):
    """The reasons are told; a metric counts; nothing is sent and nothing logged."""
    named = {f"x-pointsman-{name}": value for name, value in headers.items()}
    answer = post(running, "sk-thrifty", named, pointsman=body)

    assert (403, error) == (answer.status_code, answer.json()["error"]["code"])
    assert all(name in answer.json()["error"]["message"] for name in ("good", "other", "no-usage", "unpriced"))
    assert ([], []) == (upstream.requests, running.logged())
    labels = {"policy": "p", "reason": error}
    assert 1.0 == running.gateway.metrics.registry.get_sample_value("pointsman_refused_total", labels)


def test_a_key_binds_a_models_own_name(running):
    """Asked for directly, a denied model is still denied."""
    assert 403 == post(running, "sk-thrifty", model="good").status_code
    assert 403 == post(running, "sk-bound", model="no-usage").status_code
    assert 200 == post(running, "sk-bound", model="good").status_code


def test_the_gateways_own_member_is_not_sent_on(running, upstream):
    """All else is: values in the client's own spelling."""
    raw = (
        b'{"a": 1e-7, "pointsman": {"deny_models": ["other", "no-usage", "unpriced"], "x": "pointsman"}, "model": "p",'
        b' "messages": [ {"role": "user", "content": "pointsman"} ], "b":1.10, "metadata": {"pointsman": "kept"}}'
    )
    headers = {"authorization": "Bearer sk-shared"}
    refused = httpx2.post(f"{running.url}/v1/chat/completions", content=raw, headers=headers)
    assert (400, "pointsman.x") == (refused.status_code, refused.json()["error"]["param"])
    answer = httpx2.post(
        f"{running.url}/v1/chat/completions", content=raw.replace(b', "x": "pointsman"', b""), headers=headers
    )

    assert "good" == answer.headers["x-pointsman-model"]
    expected = json.loads(raw) | {"model": "good"}
    del expected["pointsman"]
    assert expected == json.loads(upstream.raw[0])
    for kept in (b'"a":1e-7', b'[ {"role": "user", "content": "pointsman"} ]', b"1.10", b'{"pointsman": "kept"}'):
        assert kept in upstream.raw[0]
    assert not [name for name in upstream.headers[0] if name.startswith("x-pointsman")]
    assert b"sk-shared" not in upstream.raw[0]
    assert "sk-shared" not in str(upstream.headers[0])


@pytest.mark.parametrize(
    ("model", "headers", "body", "weight"),
    [
        ("p", {}, {}, 0.7),
        ("p:0.3", {}, {}, 0.3),
        ("p:0.3", {"x-pointsman-quality-weight": "0.4"}, {}, 0.4),
        ("p:0.3", {"x-pointsman-quality-weight": "0.4"}, {"quality_weight": 0.5}, 0.5),
        ("p", {}, {"quality_weight": 0.8}, 0.8),
        ("p", {}, {"quality_weight": 0.81}, None),
        ("p:best", {}, {}, None),
        ("p:best", {}, {"quality_weight": 0.5}, 0.5),
        ("p", {"x-pointsman-quality-weight": "cheap"}, {}, None),
        ("flat", {"x-pointsman-quality-weight": "0.5"}, {}, None),
    ],
)
def test_the_dial_is_turned_by_name_header_or_body_within_the_policys_bounds(running, model, headers, body, weight):
    """The body's counts before the header's, and that before the name's; out of bounds is a 400."""
    if weight is None:
        refused = post(running, "sk-shared", headers, model, pointsman=body)
        error = refused.json()["error"]
        assert (400, "invalid_dial", "model") == (refused.status_code, error["code"], error["param"])
    else:
        told = post(running, "sk-shared", headers, model, "/v1/route", pointsman=body)
        assert f"w={weight:g}" in told.json()["why"]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"x-pointsman-deny-models: good", b"X-Pointsman-Deny-Models: other, no-usage"], 200),
        ([b"x-pointsman-data-class: public", b"x-pointsman-data-class: public"], 400),
        ([b"x-pointsman-max-cost-usd: 5", b"x-pointsman-max-cost-usd: 0"], 400),
    ],
)
def test_a_header_that_comes_twice_counts_twice(running, lines, status):
    """Lists are joined; of two values for one thing neither is quietly dropped."""
    body = json.dumps({"model": "p", "messages": ASK}).encode()
    head = [
        b"POST /v1/chat/completions HTTP/1.1",
        b"Host: gateway",
        b"Connection: close",
        b"Authorization: Bearer sk-shared",
        b"Content-Length: %d" % len(body),
        *lines,
    ]
    address = urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert status == int(answer.split()[1])
    assert status != 200 or b"x-pointsman-model: unpriced" in answer


def test_who_took_too_long_lately_is_not_asked(running):
    """The caller's bound on the time is one on who may try, and on the whole request."""
    now = time.monotonic()
    for model, seconds in (("good", 3.0), ("other", 0.5)):
        running.gateway.pipeline._world.latencies.note(model, seconds, now)

    assert {"other", "no-usage", "unpriced"} == set(chances(running, headers={"x-pointsman-max-latency-s": "1"}))
    late = post(running, headers={"x-pointsman-max-latency-s": "0.2"}, model="slow")
    assert (504, "timeout") == (late.status_code, late.json()["error"]["code"])
