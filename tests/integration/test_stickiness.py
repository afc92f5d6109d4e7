"""A session keeps its model, through the whole gateway."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from tests.conftest import write_config
from tests.gateway.worlds import tool_loop, turns

#: 10 USD a million tokens, a tenth of it where they are cached.
DEAR = {"input": 10, "output": 0, "cached_input": 1}
POOL = ["one", "two", "three"]
LEARNED = {"type": "estimating", "estimator": {"type": "constant"}, "quality_weight": 0.8}
POLICIES = {
    "random": {"pool": POOL, "router": {"type": "random"}},
    "again": {"pool": POOL, "router": {"type": "random"}},
    "weighted": {"pool": POOL, "router": {"type": "weighted", "weights": {"one": 1, "two": 5, "three": 5}}},
    "floor": {"pool": POOL, "router": {**LEARNED, "rule": {"type": "greedy", "floor": 0.9}}},
    "free": {"pool": POOL, "router": {"type": "random"}, "stickiness": {"tool_loop": False, "session": False}},
    "soon": {"pool": POOL, "router": {"type": "random"}, "stickiness": {"idle_s": 0.05}},
    "ruled": {
        "pool": POOL,
        "router": {"type": "random"},
        "rules": [{"name": "r", "when": {"text": {"contains": "python"}}, "pool": ["three"]}],
    },
    "priced": {
        "pool": ["dear", "cheap"],
        "router": {
            "type": "estimating",
            "estimator": {"type": "constant"},
            "quality_weight": 0.8,
            "rule": {"type": "greedy", "floor": 0},
        },
    },
}


@pytest.fixture
def running(serve, upstream):
    models = {name: {"provider": "up", "price": DEAR} for name in POOL}
    models["dear"] = {"provider": "up", "price": DEAR}
    models["cheap"] = {"provider": "up", "price": {"input": 2, "output": 0}}
    provider = {"vendor": "openai-compatible", "base_url": upstream.url}
    return serve(POLICIES, models=models, providers={"up": provider}, store={"type": "memory"})


def served_by(running, policy, messages, **headers):
    body = {"model": policy, "messages": messages}
    named = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    answer = httpx2.post(f"{running.url}/v1/chat/completions", json=body, headers=named, timeout=20)
    assert 200 == answer.status_code, answer.text
    return answer.headers["x-pointsman-model"]


@pytest.mark.parametrize("policy", ["random", "weighted", "floor"])
@pytest.mark.parametrize("more", [turns("Hello?", "Hi.", "And now?"), tool_loop(text="Hello?")])
def test_later_turns_go_to_who_answered_the_first(running, policy, more):
    """Whatever chance would have it; and what was certain is logged as certain."""
    first = served_by(running, policy, turns("Hello?"), pointsman_allow_models="one")

    assert "one" == first
    assert {"one"} == {served_by(running, policy, more) for _ in range(12)}
    decision = running.logged()[-1].decision
    assert (1.0, set(POOL)) == (pytest.approx(sum(decision.propensities.values())), set(decision.propensities))
    assert "one" == decision.chosen
    assert ("tool_loop" if more[-1]["role"] == "tool" else "session") == decision.trace["kept"]
    assert policy == "floor" or decision.propensities["one"] == 1


@pytest.mark.parametrize("policy", ["free", "soon"])
def test_a_session_may_change_where_the_policy_says_so(running, policy):
    """Stickiness turned off, or a silence that was too long."""
    served_by(running, policy, turns("Hello?"), pointsman_allow_models="one")
    seen = set()
    for _ in range(40):
        time.sleep(0.06 if policy == "soon" else 0)
        seen.add(served_by(running, policy, turns("Hello?", "Hi.", "And now?")))
        if len(seen) == 3:
            break

    assert set(POOL) == seen


def test_policies_and_conversations_do_not_mix(running):
    """Each policy and each beginning has a memory of its own; a session that is named goes by its name."""
    for policy, beginning, model in (
        ("random", "Hello?", "one"),
        ("again", "Hello?", "two"),
        ("random", "Bonjour?", "three"),
    ):
        served_by(running, policy, turns(beginning), pointsman_allow_models=model)

    for _ in range(5):
        assert "one" == served_by(running, "random", turns("Hello?", "Hi.", "x"))
        assert "two" == served_by(running, "again", turns("Hello?", "Hi.", "x"))
        assert "three" == served_by(running, "random", turns("Bonjour?", "Hi.", "x"))
    served_by(running, "random", turns("Hello?"), pointsman_allow_models="two", session_id="mine")
    assert {"two"} == {served_by(running, "random", turns(f"{n}"), session_id="mine") for n in range(8)}
    assert "one" == served_by(running, "random", turns("Hello?", "Hi.", "x"))


def test_a_rules_pool_wins_and_the_session_goes_on_there(running):
    """Who answers under the rule is who is kept afterwards."""
    served_by(running, "ruled", turns("Hello?"), pointsman_allow_models="one")

    assert "one" == served_by(running, "ruled", turns("Hello?", "Hi.", "x"))
    assert "three" == served_by(running, "ruled", turns("Hello?", "Hi.", "Some python"))
    assert "three" == served_by(running, "ruled", turns("Hello?", "Hi.", "Some python", "Here.", "x"))


def test_a_session_stays_while_its_cache_saves_more_than_a_change(running):
    """Both expect the same reward, so that cost decides; an answer is free.

    A prompt of h + t tokens, h of them in the history, costs 2 (h + t) with `cheap`. With `dear`, whose cache holds
    the history, it costs h + 10 t: less while h is more than 8 t, and more beyond.
    """
    served_by(running, "priced", turns("word " * 300), pointsman_allow_models="dear")

    assert "cheap" == served_by(running, "priced", turns("another " * 300))
    assert "dear" == served_by(running, "priced", turns("word " * 300, "Yes.", "x"))
    assert "cheap" == served_by(running, "priced", turns("word " * 300, "Yes.", "word " * 100))


def test_an_incumbent_that_fails_is_replaced_and_its_successor_kept(serve, upstream):
    """Who answered last is who answered, not who was chosen."""
    policy = {"pool": ["status-500", "good", "other"], "router": {"type": "random"}}
    running = serve({"p": policy}, store={"type": "memory"})
    running.gateway.pipeline._world.sessions.note("p", _session(running), "status-500", time.monotonic())
    next_one = served_by(running, "p", turns("Hello?", "Hi.", "x"))

    assert 1 == upstream.calls["status+500"]
    assert "status-500" != next_one
    assert {next_one} == {served_by(running, "p", turns("Hello?", "Hi.", "x")) for _ in range(8)}


def _session(running):
    """Return the name under which a conversation of the tests is remembered."""
    body = {"model": "p", "messages": turns("Hello?", "Hi.", "x")}
    told = httpx2.post(f"{running.url}/v1/route", json=body).json()
    return f"\n{told['signals']['session']}"


def test_sessions_side_by_side_keep_their_own(running):
    """Forty conversations at once, three turns each."""

    def converse(n):
        model = POOL[n % 3]
        served_by(running, "random", turns(f"Hello {n}?"), pointsman_allow_models=model)
        return {served_by(running, "random", turns(f"Hello {n}?", "Hi.", "x")) for _ in range(2)} == {model}

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(converse, range(40)))


async def test_a_session_outlives_a_reload(tmp_path, upstream):
    """The memory is the gateway's; a model that is gone is not kept."""
    policies = {"p": {"pool": ["good", "other", "no-usage"], "router": {"type": "random"}}}
    gateway = Gateway(write_config(tmp_path, upstream.url, policies), {})
    await gateway.open()
    transport = httpx2.ASGITransport(create_app(gateway))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:

        async def ask(messages, **headers):
            body = {"model": "p", "messages": messages}
            return (await client.post("/v1/chat/completions", json=body, headers=headers)).headers["x-pointsman-model"]

        await ask(turns("Hello?"), **{"x-pointsman-allow-models": "other"})
        for pool, left in ((["good", "other", "away"], {"other"}), (["good", "no-usage"], {"good", "no-usage"})):
            policies["p"]["pool"] = pool
            write_config(tmp_path, upstream.url, policies)
            assert await gateway.reload()
            asked = await asyncio.gather(*(ask(turns("Hello?", "Hi.", "x")) for _ in range(10)))
            assert set(asked) <= left
    await gateway.aclose()
