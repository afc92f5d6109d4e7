"""Answers that are given again, as clients meet them."""

from __future__ import annotations

import time

import httpx2
import openai
import pytest

from tests.redis_server import redis_server

ASK = {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
POLICY = {"pool": ["good"], "router": {"type": "fixed", "model": "good"}, "cache": {}}
CALLERS = {"ann": {"key": "ann-key", "team": "blue"}, "bob": {"key": "bob-key", "team": "blue"}}


def ask(running, model="p", key=None, headers=None, **fields):
    shown = {**({"authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
    return httpx2.post(
        f"{running.url}/v1/chat/completions", json={"model": model, **ASK, **fields}, headers=shown, timeout=20
    )


def kept(running, writes=1):
    """Wait until so many answers have been kept."""
    counter = running.gateway.metrics.cache_writes.labels("p", "kept")._value
    deadline = time.monotonic() + 5
    while counter.get() < writes:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def way(response):
    return response.headers.get("x-pointsman-cache")


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_the_same_question_is_answered_once(serve, upstream, first, second):
    """Whole or streamed, whichever way it was asked first; nothing is sent, logged or charged for the second one."""
    running = serve({"p": POLICY})
    one = ask(running, stream=first)
    kept(running)
    two = ask(running, stream=second)

    assert (None, "exact", "0") == (way(one), way(two), two.headers["x-pointsman-cost-usd"])
    assert one.headers["x-pointsman-decision-id"] == two.headers["x-pointsman-decision-id"]
    assert ("data: [DONE]" in two.text) == second
    assert (1, 1) == (len(upstream.requests), len(running.logged()))


def test_the_openai_client_reads_what_is_given_again(serve):
    """A stream with usage, as the SDK takes it."""
    running = serve({"p": POLICY})
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key="none")
    whole = client.chat.completions.create(model="p", messages=ASK["messages"])
    kept(running)
    stream = list(
        client.chat.completions.create(
            model="p", messages=ASK["messages"], stream=True, stream_options={"include_usage": True}
        )
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert (whole.choices[0].message.content, whole.usage.total_tokens) == (text, stream[-1].usage.total_tokens)


def test_a_policy_without_a_cache_has_none(serve, upstream):
    """And what differs is asked anew."""
    running = serve({"p": POLICY, "q": {**POLICY, "cache": None}})
    ask(running)
    kept(running)
    for fields in ({"model": "q"}, {"temperature": 0.3}, {"messages": [{"role": "user", "content": "Other"}]}):
        assert way(ask(running, **fields)) is None

    assert 4 == len(upstream.requests)


@pytest.mark.parametrize(("scope", "shared"), [("key", None), ("team", "exact"), ("everyone", "exact")])
def test_answers_are_shared_as_far_as_the_policy_says(serve, scope, shared):
    """With oneself always."""
    running = serve({"p": {**POLICY, "cache": {"scope": scope}}}, callers=CALLERS)
    ask(running, key="ann-key")
    kept(running)

    assert ("exact", shared) == (way(ask(running, key="ann-key")), way(ask(running, key="bob-key")))


def test_keys_without_a_name_share_nothing(serve):
    """Two of `server.api_keys` are two callers."""
    running = serve({"p": POLICY}, server={"api_keys": ["one-key", "other-key"]})
    ask(running, key="one-key")
    kept(running)

    assert ("exact", None) == (way(ask(running, key="one-key")), way(ask(running, key="other-key")))


def test_clients_have_a_say(serve, upstream):
    """By `cache-control`, as RFC 9111 has it."""
    running = serve({"p": POLICY})
    alone = ask(running, headers={"cache-control": "only-if-cached"})
    assert (504, "not_cached", 0) == (alone.status_code, alone.json()["error"]["code"], len(upstream.requests))
    ask(running, headers={"cache-control": "no-store"})
    ask(running)
    kept(running)
    assert way(ask(running, headers={"cache-control": "no-cache"})) is None
    assert "exact" == way(ask(running, headers={"cache-control": "only-if-cached"}))


@pytest.mark.parametrize("model", ["breaks", "silent", "status-400"])
def test_what_is_no_whole_answer_is_not_kept(serve, upstream, model):
    """A broken stream is asked for anew."""
    running = serve(
        {"p": {**POLICY, "pool": [model], "router": {"type": "fixed", "model": model}}}, limits={"gap_s": 0.3}
    )
    for _ in range(2):
        assert way(ask(running, stream=True)) is None

    assert 2 == len(upstream.requests)


def test_the_meaning_may_be_enough(serve, upstream):
    """The words but for idle ones; another number is another question."""
    running = serve({"p": {**POLICY, "cache": {"semantic": {}}}}, signals={"deadline_ms": 20_000})

    def asked(text):
        return way(ask(running, messages=[{"role": "user", "content": text}]))

    assert asked("What is the capital of France?") is None
    kept(running)
    assert ["semantic", None] == [
        asked("Please tell me: what is the capital of France?"),
        asked("What is the capital of Spain?"),
    ]
    assert 2 == len(upstream.requests)


def test_the_cost_of_what_is_given_again_is_nothing(serve):
    """Also in the usage, where it is asked for."""
    running = serve({"p": POLICY})
    ask(running)
    kept(running)
    again = ask(running, headers={"x-pointsman-include-cost": "true"})
    streamed = ask(running, stream=True, headers={"x-pointsman-include-cost": "true"})

    assert ("exact", 0.0) == (way(again), again.json()["usage"]["cost"])
    assert '"cost": 0.0' in streamed.text


def test_replicas_share_answers(serve, upstream, tmp_path):
    """Through Redis; without it they ask, and nobody waits."""
    with redis_server(tmp_path) as redis:
        shared = {"redis": {"url": redis.url, "timeout_ms": 1000}, "cache": {"store": "redis"}}
        one, other = serve({"p": POLICY}, **shared), serve({"p": POLICY}, **shared)
        ask(one)
        kept(one)
        assert "exact" == way(ask(other))
        redis.stop()
        assert [200, None] == [(answer := ask(other)).status_code, way(answer)]
        assert 2 == len(upstream.requests)
        redis.start()
        deadline = time.monotonic() + 20
        while "exact" != way(ask(other)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
