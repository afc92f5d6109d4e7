"""Policies with rules, through the whole gateway: what is sent, what is refused, what is logged."""

from __future__ import annotations

import json

import httpx2
import pytest

from tests.conftest import PRICE

BASIC = {"pool": ["good", "other"], "router": {"type": "fixed", "model": "good"}}


def when(word: str, **rule):
    """Return a rule for texts that hold a word, by which it is called."""
    return {"name": word, "when": {"text": {"contains": word}}, **rule}


POLICIES = {
    "p": {
        **BASIC,
        "rules": [
            when("prompt", system_prompt="Be brief.", tag="short"),
            when("numbers", parameters={"temperature": 0.25, "top_p": None, "seed": 7}),
            when("headers", headers={"X-Team": "a", "Authorization": "Bearer stolen", "traceparent": "mine"}),
            when("refuse", refuse="Not here.", tag="shut"),
            when("elsewhere", router={"type": "fixed", "model": "other"}, tag="outer"),
            when("sub", policy="q"),
            when("dear", limits={"max_cost_usd": 1e-9}),
            when("limited", pool=["slow"], router={"type": "fixed", "model": "slow"}, limits={"timeout_s": 0.2}),
            when("once", pool=["away", "other"], router={"type": "fixed", "model": "away"}, limits={"attempts": 1}),
            when("twice", pool=["away", "other"], router={"type": "fixed", "model": "away"}),
            {"name": "late", "priority": -1, "refuse": "Too late."},
            {"name": "urgent", "priority": 9, "when": {"text": {"contains": "urgent"}}, "refuse": "No hurry."},
            {"name": "rest", "when": {"text": {"contains": "plain"}}},
        ],
    },
    "q": {
        **BASIC,
        "router": {"type": "fixed", "model": "other"},
        "rules": [when("sub-sub", tag="inner"), when("sub-closed", refuse="Nor here.")],
    },
    "think": {
        "pool": ["effort", "object", "template", "plain"],
        "router": {"type": "random"},
        "rules": [when("hard", effort="high"), when("off", reasoning=False), when("on", reasoning=True, effort="low")],
    },
}


@pytest.fixture
def running(serve, upstream):
    return serve(POLICIES, **sections(upstream.url))


def sections(url):
    provider = {"vendor": "openai-compatible", "base_url": url, "api_key": "upstream-secret"}
    providers = {
        "up": provider,
        "away": {**provider, "base_url": "http://127.0.0.1:9/v1"},
        "router": {
            **provider,
            "vendor": "openrouter",
            "headers": {"X-Fixed": "ours", "AUTHORIZATION": "Bearer written"},
        },
        "vllm": {**provider, "vendor": "vllm"},
    }
    models = {name: {"provider": "up", "price": PRICE} for name in ("good", "other", "slow", "effort")}
    models["away"] = {"provider": "away", "price": PRICE}
    models["object"] = {"provider": "router"}
    models["template"] = {"provider": "vllm"}
    models["plain"] = {"provider": "up", "capabilities": ["tools"]}
    return {"providers": providers, "models": models, "store": {"type": "memory"}}


def post(running, text, model="p", content=None, **request):
    raw = content or json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
    return httpx2.post(f"{running.url}/v1/chat/completions", content=raw, timeout=20, **request)


def test_a_system_prompt_is_added(running, upstream):
    """The endpoint sees it; the log has rule and tag; the client sees which rule it was."""
    answer = post(running, "a prompt")

    assert [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a prompt"}] == upstream.requests[
        0
    ]["messages"]
    assert "prompt" == answer.headers["x-pointsman-rule"]
    (logged,) = running.logged()
    assert ("prompt", "short") == (logged.decision.rule, logged.decision.tag)


def test_parameters_are_set_and_removed_and_the_rest_is_the_clients_own(running, upstream):
    """Byte for byte where nothing is changed."""
    raw = (
        b'{"model": "p", "messages": [ {"role":"user", "content": "numbers \\u0041"} ],'
        b'"temperature": 1.50, "top_p": 0.9, "a": 1e-7, "b": 1.10, "c": 12345678901234567890}'
    )
    assert 200 == post(running, "", content=raw).status_code

    sent = json.loads(upstream.raw[0])
    assert (0.25, 7, "good") == (sent["temperature"], sent["seed"], sent["model"])
    assert "top_p" not in sent
    for kept in (b'[ {"role":"user", "content": "numbers \\u0041"} ]', b"1e-7", b"1.10", b"12345678901234567890"):
        assert kept in upstream.raw[0]


def test_a_request_that_nothing_changes_keeps_every_byte_but_its_model(running, upstream):
    """White space, order, numbers, escapes."""
    raw = b'{ "a" :1e-7,"messages":[{"role":"user","content":"plain \\u00e4"}] , "model": "p","n":1.0 }\n'
    post(running, "", content=raw)

    assert raw.replace(b'"p"', b'"good"') == upstream.raw[0]


def test_headers_reach_the_endpoint_and_do_not_replace_its_key(running, upstream):
    """A rule's header wins over the caller's; the endpoint's own over both, and none comes twice."""
    post(running, "headers", headers={"traceparent": "theirs", "x-other": "theirs"})

    sent = upstream.headers[0]
    assert ("a", "mine", "Bearer upstream-secret") == (sent["x-team"], sent["traceparent"], sent["authorization"])
    assert "x-other" not in sent


def test_a_key_in_an_endpoints_headers_is_the_only_one(serve, upstream):
    """However it is spelt there, a rule adds no second."""
    policy = {
        "pool": ["object"],
        "router": {"type": "random"},
        "rules": [when("x", headers={"authorization": "Bearer rule", "x-fixed": "theirs"})],
    }
    running = serve({"p": policy}, **sections(upstream.url))
    post(running, "x")

    assert ("Bearer written", "ours") == (upstream.headers[0]["authorization"], upstream.headers[0]["x-fixed"])


def test_a_refusal_is_a_403_without_a_decision(running, upstream):
    """The client is told the rule's own words; a metric counts; nothing is sent or logged. To ask is not to be refused."""
    asked = httpx2.post(
        f"{running.url}/v1/route", json={"model": "p", "messages": [{"role": "user", "content": "refuse this"}]}
    )
    refused = post(running, "refuse this")

    assert (403, "Not here.", "rejected_by_policy", "permission_error") == (
        refused.status_code,
        refused.json()["error"]["message"],
        refused.json()["error"]["code"],
        refused.json()["error"]["type"],
    )
    assert ([], []) == (upstream.requests, running.logged())
    labels = {"policy": "p", "reason": "rejected_by_policy"}
    assert 1.0 == running.gateway.metrics.registry.get_sample_value("pointsman_refused_total", labels)
    assert "rejected_by_policy" == asked.json()["refused"]["code"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("refuse urgent", "No hurry."), ("nothing else", "Too late."), ("sub-closed", "Nor here.")],
)
def test_priorities_decide_which_rule_is_asked_first(running, text, said):
    """Higher ones come first whatever is written first, and lower ones last; another policy's rules go on."""
    assert said == post(running, text).json()["error"]["message"]


@pytest.mark.parametrize(
    ("text", "model", "rule", "tag"),
    [
        ("elsewhere", "other", "elsewhere", "outer"),
        ("sub", "other", "sub", None),
        ("sub-sub", "other", "sub/sub-sub", "inner"),
        ("plain", "good", "rest", None),
    ],
)
def test_where_rules_lead(running, text, model, rule, tag):
    """To a router of their own, or to a policy with rules of its own."""
    answer = post(running, text)

    assert (model, "p", rule) == tuple(answer.headers[f"x-pointsman-{name}"] for name in ("model", "policy", "rule"))
    (logged,) = running.logged()
    assert ("p", rule, tag) == (logged.decision.policy, logged.decision.rule, logged.decision.tag)


def test_a_rules_limits_hold(running):
    """Costs, time and attempts: each as the rule has it and not as the policy."""
    assert (403, "no_eligible_model") == _outcome(post(running, "dear"))
    assert (504, "timeout") == _outcome(post(running, "limited"))
    assert (502, "connect_failed") == _outcome(post(running, "once"))
    running.gateway._fleet._conditions.clear()
    assert "other" == post(running, "twice").headers["x-pointsman-model"]
    assert [1, 1, 2] == [len(entry.outcome.attempts) for entry in running.logged()]


def _outcome(answer):
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("hard", {"effort": {"reasoning_effort": "high"}, "object": {"reasoning": {"effort": "high"}}, "template": {"reasoning_effort": "high"}}),
        ("off", {"effort": {"reasoning_effort": "none"}, "object": {"reasoning": {"enabled": False}}, "template": {"chat_template_kwargs": {"enable_thinking": False}}}),
        ("on", {"effort": {"reasoning_effort": "low"}, "object": {"reasoning": {"effort": "low", "enabled": True}}, "template": {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": True}}}),
        ("neither", {}),
    ],
)  # fmt: skip
def test_each_endpoint_is_told_how_much_to_reason_in_its_own_way(running, upstream, text, asked):
    """A model that is known not to reason is told nothing."""
    for model in ("effort", "object", "template", "plain"):
        post(running, text, "think", headers={"x-pointsman-allow-models": model})
        sent = {key: value for key, value in upstream.requests[-1].items() if key not in ("model", "messages")}
        assert asked.get(model, {}) == sent, model


def test_models_by_their_own_name_have_the_gateways_limits(serve, upstream):
    """What an answer may cost is limited there too."""
    running = serve(POLICIES, **sections(upstream.url), limits={"max_cost_usd": 1e-9})

    assert (403, "no_eligible_model") == _outcome(post(running, "plain", "good"))
    assert (403, "no_eligible_model") == _outcome(post(running, "plain", "p"))
    assert [] == upstream.requests
