"""An agent's task through two whole gateways, which share a Redis and the task's budget."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from tests.conftest import Running, write_config
from tests.played import playing
from tests.redis_server import redis_server
from tests.upstream import running

POLICY = {
    "pool": ["small", "large"],
    "router": {"type": "agent", "small": "small", "large": "large"},
    "stickiness": {"tool_loop": False, "session": False},
    "task": {"max_usd": 0.05, "step_tokens": 500},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
USER = {"role": "user", "content": "Mend the build."}
LOOP = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]


def result(text):
    return [*LOOP, {"role": "tool", "tool_call_id": "c1", "content": text}]


@pytest.fixture(scope="module")
def played():
    with playing() as played:
        yield played


@pytest.fixture
def replicas(tmp_path, played):
    """Return a function that starts so many gateways over one Redis."""
    with redis_server(tmp_path) as redis, ExitStack() as stack:

        def start(number, **policy):
            known = played.sections("small", "large")
            known["models"]["large"]["price"] = {"input": 10, "output": 20}
            found = []
            for name in "abc"[:number]:
                folder = tmp_path / name
                folder.mkdir()
                shared = {"redis": {"url": redis.url, "timeout_ms": 5000, "quotas": "closed"}} if number > 1 else {}
                path = write_config(folder, played.url, {"p": POLICY | policy}, **known, **shared)
                gateway = Gateway(path, {})
                found.append(Running(stack.enter_context(running(create_app(gateway))), gateway, folder))
            return found

        yield start


def ask(gateway, messages=(USER,), session="task-1", **more):
    headers = {"x-pointsman-session-id": session} | more.pop("headers", {})
    body = {"model": "p", "messages": list(messages), **more}
    return httpx2.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


def test_each_step_goes_where_its_cues_say(replicas, played):
    """In an open loop of tools, too; a limit is sent with what has none, and what is left is told."""
    (gateway,) = replicas(1)
    steps = [ask(gateway, one) for one in ([USER], result("done"), result("Error: no such file"))]

    assert ["large", "small", "large"] == [step.headers["x-pointsman-model"] for step in steps]
    assert {500} == {body["max_tokens"] for body in played.requests[-3:]}
    left = [Decimal(step.headers["x-pointsman-budget-left-usd"]) for step in steps]
    assert Decimal("0.05") > left[0] > 0
    (first, *_) = gateway.logged()
    assert {"budget_usd": 0.05, "left_usd": 0.05, "over": False} == first.decision.trace["task"]
    assert 1.0 == first.decision.features["task.left_share"]


def test_two_gateways_never_let_a_task_cost_more_than_its_budget(replicas):
    """However many of its steps come at once; who comes too late is told that repeating does not help."""
    gateways = replicas(2, task={"max_usd": 0.0045})

    def step(n):
        return ask(gateways[n % 2], [USER] if n % 3 else result("done"), max_tokens=(50, 500)[n % 2], stream=n % 5 == 0)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(step, range(120)))
    spent = sum(one.outcome.cost_usd for gateway in gateways for one in gateway.logged() if one.outcome)
    refused = [answer for answer in answers if answer.status_code != 200]

    assert Decimal("0.002") < spent <= Decimal("0.0045")
    assert refused
    for answer in refused:
        assert (429, "budget_exceeded") == (answer.status_code, answer.json()["error"]["code"])
        assert "false" == answer.headers["x-should-retry"]
    assert 200 == ask(gateways[0], session="another", max_tokens=50).status_code


def test_a_plan_takes_no_more_than_is_left_of_the_budget(replicas, played):
    """All of its calls together, and those of plans that run at the same time."""
    cascade = {"type": "cascade", "gate": {"type": "judge", "model": "large"}, "router": {"type": "cheapest"}}
    gateways = replicas(2, router=cascade, task={"max_usd": 0.01, "step_tokens": 60})
    played.plays["large"] = lambda body: "VERDICT: NO" if "VERDICT" in str(body["messages"][-1]) else "It is mended."
    try:
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda n: ask(gateways[n % 2]), range(60)))
    finally:
        played.plays.clear()
    events = [one for gateway in gateways for one in gateway.logged() if one.outcome]

    assert {200, 429} == {answer.status_code for answer in answers}
    assert Decimal("0.003") < sum(one.outcome.cost_usd for one in events) <= Decimal("0.01")
    assert any(one.outcome.calls for one in events)


def test_a_request_may_bound_its_task_more_tightly(replicas):
    """By a header, or in the body; whatever is above the policy's budget is the policy's."""
    (gateway,) = replicas(1)
    header = {"x-pointsman-task-budget-usd": "0.002"}

    assert "small" == ask(gateway, headers=header).headers["x-pointsman-model"]
    assert 429 == ask(gateway, session="b", pointsman={"task_budget_usd": 0.0001}).status_code
    assert "large" == ask(gateway, session="c", pointsman={"task_budget_usd": 9}).headers["x-pointsman-model"]


def test_beyond_its_budget_a_task_may_go_on_with_the_cheapest(replicas):
    """Where the policy says so."""
    (gateway,) = replicas(1, task={"max_usd": 0.0001, "when_spent": "cheapest"})

    assert ["small", "small"] == [ask(gateway).headers["x-pointsman-model"] for _ in range(2)]


def test_what_would_be_decided_says_what_is_left(replicas):
    """Nothing is sent, and nothing is counted."""
    (gateway,) = replicas(1)
    body = {"model": "p", "messages": [USER]}
    told = httpx2.post(f"{gateway.url}/v1/route", json=body, timeout=30).json()

    assert ("large", 0.05, "user") == (
        told["model"],
        told["signals"]["task.left_usd"],
        told["signals"]["step.after"],
    )
