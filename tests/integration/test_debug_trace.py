"""The trace of a decision: stored with it, shown to those who may see it, and never more than it should say."""

from __future__ import annotations

import json

import httpx2
import pytest

CANARY = "zebra-in-the-prompt"
POLICIES = {
    "p": {
        "pool": ["good", "other"],
        "router": {"type": "random"},
        "defaults": {"language": "en"},
        "projections": {"size": {"score": {"prompt_tokens": 1}}},
        "rules": [
            {"name": "words", "when": {"text": {"contains": "no such words"}}, "refuse": "No."},
            {"name": "shut", "when": {"turns": {"above": 7}}, "refuse": "Too long.", "tag": "long"},
            {"name": "size", "when": {"size": {"above": 1}}, "pool": ["good"], "tag": "sized"},
        ],
    },
    "many": {
        "pool": ["good"],
        "router": {"type": "random"},
        "rules": [
            {
                "name": f"a-rule-with-quite-a-long-name-{'indeed-' * 6}number-{n}",
                "when": {"turns": {"above": 100 + n}},
                "refuse": "No.",
            }
            for n in range(60)
        ],
    },
}
CALLERS = {"dev": {"key": "sk-dev-secret", "debug": True, "team": "core"}, "app": {"key": "sk-app-secret"}}
SECTIONS = {
    "data_classes": {"by_pii": {"card": "internal"}},
    "signals": {
        "deadline_ms": 5000,
        "log": ["metadata"],
        "metadata": {"headers": ["authorization", "cookie", "x-team"]},
    },
    "store": {"type": "memory"},
}


@pytest.fixture
def running(serve):
    return serve(POLICIES, callers=CALLERS, **SECTIONS)


def post(running, key, path="/v1/chat/completions", model="p", turns=1, headers=None, **body):
    messages = [{"role": ("user", "assistant")[n % 2], "content": CANARY} for n in range(turns)]
    shown = (
        {"authorization": f"Bearer {key}", "cookie": "session=cookie-secret", "x-team": "x-team-value"} if key else {}
    )
    whole = {"model": model, "messages": messages, **body}
    return httpx2.post(f"{running.url}{path}", json=whole, headers={**shown, **(headers or {})}, timeout=20)


DEBUG = {"x-pointsman-debug": "1"}


@pytest.mark.parametrize("stream", [False, True])
def test_the_trace_in_the_header_is_the_one_in_the_log(running, stream):
    """Word for word, for who may see it and asks."""
    answer = post(running, "sk-dev-secret", headers=DEBUG, stream=stream)

    assert 200 == answer.status_code
    (logged,) = running.logged()
    trace = json.loads(answer.headers["x-pointsman-trace"])
    assert logged.decision.trace == trace
    assert ("p", "size", "sized", "public") == (
        trace["policy"],
        trace["rule"],
        trace["tag"],
        trace["data_class"]["name"],
    )
    assert [False, False, True] == [rule["holds"] for rule in trace["rules"]]
    assert trace["signals"]["prompt_tokens"] == trace["projections"]["size"]
    assert "en" == trace["defaults"]["language"]
    assert {"signals", "rules", "eligibility", "route"} == {*trace["stage_ms"]}


@pytest.mark.parametrize(
    ("key", "headers", "shown"),
    [
        ("sk-dev-secret", {}, False),
        ("sk-dev-secret", {"x-pointsman-debug": "0"}, False),
        ("sk-dev-secret", {"x-pointsman-debug": "true"}, True),
        ("sk-app-secret", DEBUG, False),
    ],
)
def test_who_may_not_see_it_or_does_not_ask_gets_none(running, key, headers, shown):
    """The log has it in any case."""
    answer = post(running, key, headers=headers)

    assert (200, shown) == (answer.status_code, "x-pointsman-trace" in answer.headers)
    assert "size" == running.logged()[0].decision.trace["rule"]


def test_where_no_keys_are_asked_everyone_may_see_it(serve):
    """The gateway listens on this machine only."""
    running = serve(POLICIES, **SECTIONS)

    assert "x-pointsman-trace" in post(running, None, headers=DEBUG).headers
    assert "trace" in post(running, None, path="/v1/route").json()


def test_a_shared_key_shows_no_traces(serve):
    """Only a caller's own may."""
    running = serve(POLICIES, server={"api_keys": "sk-shared"}, **SECTIONS)

    assert "x-pointsman-trace" not in post(running, "sk-shared", headers=DEBUG).headers
    assert "trace" not in post(running, "sk-shared", path="/v1/route").json()


def test_it_holds_no_text_no_key_and_no_secret_header(running):
    """Neither the header, nor the log, nor the explanation; a header that is named in the configuration is a signal."""
    answer = post(running, "sk-dev-secret", headers=DEBUG, turns=3)
    told = post(running, "sk-dev-secret", path="/v1/route", turns=3)
    refused = post(running, "sk-dev-secret", path="/v1/route", turns=9)
    (logged,) = running.logged()
    written = [answer.headers["x-pointsman-trace"], told.text, refused.text, json.dumps(logged.decision.trace)]
    written.append(json.dumps(dict(logged.decision.features)))

    for secret in (CANARY, "sk-dev-secret", "cookie-secret", "upstream-secret", "sk-app-secret"):
        assert not [text for text in written if secret in text], secret
    assert all("x-team-value" in text for text in written)


def test_a_long_one_is_cut_in_the_header_and_whole_in_the_log(running):
    """8,000 characters pass everywhere; it says that it was cut."""
    answer = post(running, "sk-dev-secret", model="many", headers=DEBUG)
    trace = json.loads(answer.headers["x-pointsman-trace"])
    (logged,) = running.logged()

    assert (
        len(answer.headers["x-pointsman-trace"]) <= 8000 < len(json.dumps(logged.decision.trace, separators=(",", ":")))
    )
    assert ("the log has the whole trace", [], {}) == (trace["cut"], trace["rules"], trace["signals"])
    assert (50, "cut" in logged.decision.trace) == (len(logged.decision.trace["rules"]), False)
    told = post(running, "sk-dev-secret", path="/v1/route", model="many").json()
    assert 60 == len(told["trace"]["rules"])


@pytest.mark.parametrize(("key", "traced"), [("sk-dev-secret", True), ("sk-app-secret", False)])
def test_a_refusal_is_explained_without_being_sent(running, upstream, key, traced):
    """By a rule, or because nobody may answer; nothing is logged."""
    by_rule = post(running, key, path="/v1/route", turns=9).json()
    by_class = post(running, key, path="/v1/route", pointsman={"data_class": "restricted"}).json()

    assert (None, "refused", "shut", {"code": "rejected_by_policy", "message": "Too long."}) == tuple(
        by_rule[name] for name in ("model", "why", "rule", "refused")
    )
    assert ("refused", "no_eligible_model", []) == (
        by_class["why"],
        by_class["refused"]["code"],
        by_class["candidates"],
    )
    assert {"good"} == {*by_class["removed"]}
    assert [traced] * 2 == ["trace" in told for told in (by_rule, by_class)]
    assert not traced or by_class["trace"]["data_class"] == {"name": "restricted", "because": ["claimed"]}
    assert ([], []) == (upstream.requests, running.logged())


def test_what_cannot_be_understood_is_no_decision_at_all(running):
    """An unknown model, or an option that is none, is an error here too."""
    assert 404 == post(running, "sk-dev-secret", path="/v1/route", model="nothing").status_code
    assert 400 == post(running, "sk-dev-secret", path="/v1/route", pointsman={"x": 1}).status_code
    assert 401 == post(running, "sk-wrong", path="/v1/route").status_code
