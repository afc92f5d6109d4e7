"""No prompt reaches a model that must not see it, by whatever way it might be asked."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from tests.conftest import MODELS, PRICE, write_config
from tests.gateway.worlds import CARD, tool_loop, turns
from tests.integration.plugin_routers import plug_in

#: Those that may see cards; the others may see what is public.
CLEARED = {"good": "restricted", "slow": "confidential", "status-500": "confidential", "breaks": "confidential"}
OPEN = {"other", "whole", "no-usage", "status-429", "in-band", "away"}
CLASSES = {"by_pii": {"card": "confidential"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CALLERS = {
    "bank": {"key": "sk-bank", "data_class": "confidential", "debug": True},
    "shop": {"key": "sk-shop"},
}


def fixed(model: str, *others: str, **options: Any) -> dict[str, Any]:
    return {"pool": [model, *others], "router": {"type": "fixed", "model": model}, **options}


POLICIES = {
    "any": {"pool": ["good", "other", "no-usage"], "router": {"type": "random"}},
    "rest": fixed("status-500", "other", "good"),
    "named": fixed("status-500", "other", "away", "good", fallback=["other", "away", "good"]),
    "never": fixed("status-500", "other", "no-usage", limits={"attempts": 3}),
    "broken": fixed("breaks", "other", "good"),
    "learned": {
        "pool": ["good", "other"],
        "router": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0.5}},
    },
    "closed": {"pool": ["good", "other"], "router": {"type": "random"}, "data_class": "internal"},
    "ruled": {
        "pool": ["good", "other"],
        "router": {"type": "random"},
        "rules": [
            {"name": "code", "when": {"text": {"contains": "python"}}, "policy": "closed"},
            {"name": "to-other", "when": {"text": {"contains": "hello"}}, "pool": ["other", "no-usage"]},
        ],
    },
    "rota": {"pool": ["good", "other"], "router": {"type": "rota", "models": ["good", "other", "good"]}},
    "rogue": {"pool": ["good"], "router": {"type": "rota", "models": ["other"]}, "fallback": []},
    "stranger": {"pool": ["good"], "router": {"type": "rota", "models": ["good", "whole"]}, "fallback": []},
}


def config(upstream_url: str, classes: dict[str, Any] = CLASSES) -> dict[str, Any]:
    """Return the sections of a gateway whose models have clearances."""
    names = {model: model for model in MODELS} | {f"status-{n}": f"status+{n}" for n in (429, 500)}
    models = {
        name: {"provider": "up", "name": real, "price": PRICE}
        | ({"clearance": CLEARED[name]} if name in CLEARED else {})
        for name, real in names.items()
    }
    models["away"] = {"provider": "away"}
    provider = {"vendor": "openai-compatible", "base_url": upstream_url}
    return {
        "models": models,
        "providers": {"up": provider, "away": {**provider, "base_url": "http://127.0.0.1:9/v1"}},
        "data_classes": classes,
        "store": {"type": "memory"},
        "signals": {"deadline_ms": 5000},
    }


@pytest.fixture(scope="module")
def plugged(tmp_path_factory):
    """Install the router of somebody else's."""
    folder = tmp_path_factory.mktemp("plug-in")
    plug_in(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@pytest.fixture
def start(serve, upstream, plugged):  # noqa: ARG001 - installed
    """Return a function that serves all policies, with clearances."""
    return lambda **sections: serve(POLICIES, **config(upstream.url) | sections)


def post(running, model: str, text: str = CARD, *, key: str | None = None, **body: Any):
    whole = {"model": model, "messages": [{"role": "user", "content": text}], **body}
    headers = body.pop("headers", {}) | ({"authorization": f"Bearer {key}"} if key else {})
    whole.pop("headers", None)
    return httpx2.post(f"{running.url}/v1/chat/completions", json=whole, headers=headers, timeout=20)


def asked(upstream) -> set[str]:
    """Return who has seen a request."""
    return {name.replace("+", "-") for name in upstream.calls}


@pytest.fixture
def only_cleared(upstream):
    """Check that nobody has seen a request who must not."""
    yield
    assert asked(upstream) <= set(CLEARED)


@pytest.mark.usefixtures("only_cleared")
def test_a_card_number_reaches_the_cleared_only(start, upstream):
    """First choices, fallbacks named and not, attempts, streams, dials and a model's own name: each way, many times."""
    running = start()
    fleet = running.gateway._fleet
    for stream in (False, True):
        for name in ("any", "rest", "named", "broken", "learned", "learned:best", "learned:cheap", "closed", "ruled"):
            for _ in range(4):
                answer = post(running, name, stream=stream)
                assert 200 == answer.status_code, (name, answer.text)
                fleet._conditions.clear()
    assert {"good", "status-500", "breaks"} == asked(upstream)
    refused = post(running, "other")
    assert (403, "no_eligible_model") == (refused.status_code, refused.json()["error"]["code"])
    assert "data class: the request is confidential" in refused.json()["error"]["message"]
    assert 500 == post(running, "never").status_code
    assert 200 == post(running, "good").status_code


@pytest.mark.usefixtures("only_cleared")
def test_a_plug_in_cannot_ask_whom_it_may_not(start, caplog):
    """Neither first, nor second, nor a model that is in no pool; others answer, if any, and an error is logged."""
    running = start()
    assert "good" == post(running, "rota").headers["x-pointsman-model"]
    assert "good" == post(running, "stranger").headers["x-pointsman-model"]
    refused = post(running, "rogue")
    assert (403, "no_eligible_model") == (refused.status_code, refused.json()["error"]["code"])
    assert 3 == [record.getMessage() for record in caplog.records].count("dispatch.forbidden")
    assert [200, 200, 403] == [entry.outcome.status for entry in running.logged()]


def test_a_plug_in_may_ask_whom_it_likes_of_those_that_may_see_the_request(start, upstream):
    """The gate is for what is forbidden."""
    assert 200 == post(start(), "rota", "Say hello.").status_code
    assert {"good": 2, "other": 1} == upstream.calls


@pytest.mark.usefixtures("only_cleared")
def test_a_plug_in_cannot_ask_whom_the_caller_or_its_key_denies(start, upstream):
    """A caller's word holds for every call, not only for the choice."""
    running = start(callers={"shop": {"key": "sk", "deny_models": ["whole"]}})
    key = {"key": "sk"}

    assert 200 == post(running, "rota", "hi", headers={"x-pointsman-deny-models": "other"}, **key).status_code
    assert 403 == post(running, "rogue", "hi", headers={"x-pointsman-allow-models": "good"}, **key).status_code
    assert 200 == post(running, "stranger", "hi", **key).status_code
    assert {"good"} == asked(upstream)


@pytest.mark.usefixtures("only_cleared")
@pytest.mark.parametrize(
    "claim",
    [
        {"headers": {"x-pointsman-data-class": "confidential"}},
        {"pointsman": {"data_class": "confidential"}},
        {"headers": {"x-pointsman-data-class": "public"}, "pointsman": {"data_class": "restricted"}},
        {"headers": {"x-pointsman-data-class": "restricted"}, "pointsman": {"data_class": "public"}},
        {"key": "sk-bank"},
        {"key": "sk-bank", "headers": {"x-pointsman-data-class": "public"}},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}]},
        {"messages": turns(CARD, "A card.", "Thanks")},
        {"metadata": {"note": CARD}},
        {"tools": [{"type": "function", "function": {"name": "pay", "description": CARD}}]},
    ],
)
def test_every_source_of_a_class_binds(start, claim):
    """A header, a member of the body, a key, what cannot be read, and what stands anywhere in the body."""
    running = start(callers=CALLERS)
    claim = {"key": "sk-shop", **claim}
    for name in ("any", "learned:best", "ruled"):
        for _ in range(5):
            assert 200 == post(running, name, "Bonjour", **claim).status_code
    assert 403 == post(running, "other", "Bonjour", **claim).status_code


@pytest.mark.usefixtures("only_cleared")
def test_a_policy_that_a_rule_leads_to_binds_too(start):
    """Its class counts, though the client has never heard of it."""
    running = start()

    assert all(200 == post(running, "ruled", "Some python, please").status_code for _ in range(8))


def test_a_rules_pool_of_the_forbidden_alone_serves_nobody(start, upstream):
    """Better no answer than theirs; what may be seen, they answer."""
    running = start()

    assert 403 == post(running, "ruled", f"hello {CARD}").status_code
    assert {} == upstream.calls
    assert 200 == post(running, "ruled", "hello").status_code
    assert asked(upstream) <= {"other", "no-usage"}


@pytest.mark.usefixtures("only_cleared")
@pytest.mark.parametrize("classes", [CLASSES, {"by_pii": {"email": "internal"}, "unread": "internal"}])
def test_what_was_not_looked_for_in_time_counts_as_found(start, upstream, classes):
    """With no time for signals at all, only the cleared are asked, whatever the request is; the log says why."""
    running = start(signals={"deadline_ms": 1e-6}, data_classes=classes)
    for _ in range(6):
        assert 200 == post(running, "any", "Say hello.").status_code
    assert 403 == post(running, "other", "Say hello.").status_code

    decision = running.logged()[-1].decision
    assert "pii" in decision.features["missed"]
    assert ["pii: not known, so as if all was found"] == decision.trace["data_class"]["because"]
    assert 7.0 == running.gateway.metrics.registry.get_sample_value("pointsman_signals_missed_total", {"signal": "pii"})
    assert {"good": 6} == upstream.calls


@pytest.mark.usefixtures("only_cleared")
@pytest.mark.parametrize("policy", ["any", "learned"])
def test_a_session_leaves_a_model_that_must_not_see_the_next_turn(start, upstream, policy):
    """It was allowed on the turn before; also in the middle of a loop of tools."""
    running = start()
    first = post(running, policy, "What is it?", headers={"x-pointsman-allow-models": "other"})
    assert "other" == first.headers["x-pointsman-model"]
    kept = post(running, policy, messages=turns("What is it?", "Six.", "Really?"))
    assert "other" == kept.headers["x-pointsman-model"]
    looped = post(running, policy, messages=tool_loop(text="What is it?"))
    assert "other" == looped.headers["x-pointsman-model"]
    upstream.calls.clear()

    for messages in (turns("What is it?", "Six.", CARD), [*tool_loop(text="What is it?")[:2], _result(CARD)]):
        assert "good" == post(running, policy, messages=messages).headers["x-pointsman-model"]
        kept = {"messages": turns("What is it?", "Six.", "Really?")}
        first = post(running, policy, headers={"x-pointsman-deny-models": "good,no-usage"}, **kept)
        assert "other" == first.headers["x-pointsman-model"]
        upstream.calls.pop("other")


def _result(text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "call_1", "content": text}


def test_what_is_public_goes_to_anyone(start, upstream):
    """Without a claim and without personal data nobody is left out: the tests above can fail."""
    running = start()
    for _ in range(40):
        assert 200 == post(running, "any", "Bonjour").status_code

    assert {"good", "other", "no-usage"} == asked(upstream)


async def test_a_reload_changes_the_rules_for_the_next_request_only(tmp_path, upstream, plugged):  # noqa: ARG001 - installed
    """The request under way keeps the rules that it began with; sessions are remembered across."""
    policies = {"p": {"pool": ["slow", "good"], "router": {"type": "fixed", "model": "slow"}}}
    sections = config(upstream.url)
    gateway = Gateway(write_config(tmp_path, upstream.url, policies, **sections), {})
    await gateway.open()
    transport = httpx2.ASGITransport(create_app(gateway))
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            body = {"model": "p", "messages": [{"role": "user", "content": CARD}]}
            under_way = asyncio.ensure_future(client.post("/v1/chat/completions", json=body))
            for _ in range(1000):
                if upstream.calls["slow"]:
                    break
                await asyncio.sleep(0.01)
            sections["models"]["slow"] = {"provider": "up"}
            write_config(tmp_path, upstream.url, policies, **sections)
            assert await gateway.reload()
            refused = await client.post("/v1/chat/completions", json={**body, "model": "slow"})

            assert 403 == refused.status_code
            assert (200, "slow") == ((await under_way).status_code, under_way.result().headers["x-pointsman-model"])
            assert {"slow": 1} == upstream.calls
            (last,) = gateway.pipeline._world.sessions._last.values()
            assert "slow" == last.model
    finally:
        await gateway.aclose()
