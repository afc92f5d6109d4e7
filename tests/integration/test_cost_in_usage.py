"""The cost of an answer, where a client reads its usage."""

from __future__ import annotations

import json

import httpx2
import openai
import pytest

ASK = {"messages": [{"role": "user", "content": "Say hello."}]}


@pytest.fixture
def running(serve):
    return serve()


def ask(running, model, **fields):
    return httpx2.post(f"{running.url}/v1/chat/completions", json={"model": model, **ASK, **fields}, timeout=20)


def chunks(response):
    events = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    assert "[DONE]" == events[-1]
    return [json.loads(event) for event in events[:-1]]


@pytest.mark.parametrize("wanted", [{"pointsman": {"include_cost": True}}, {}])
def test_the_cost_comes_on_request_only(running, wanted):
    """Whole and streamed alike; it is the one of the header and of the log."""
    whole = ask(running, "good", **wanted)
    streamed = chunks(ask(running, "good", stream=True, stream_options={"include_usage": True}, **wanted))
    usages = [whole.json()["usage"], streamed[-1]["usage"]]
    costs = [float(entry.outcome.cost_usd) for entry in running.logged()]

    if not wanted:
        assert all("cost" not in usage for usage in usages)
        return
    assert [(cost, "priced") for cost in costs] == [(usage["cost"], usage["cost_source"]) for usage in usages]
    assert float(whole.headers["x-pointsman-cost-usd"]) == costs[0] == costs[1] > 0


def test_the_usage_comes_with_the_cost(running):
    """Who asks for the cost of a stream need not ask for its usage as well."""
    last = chunks(ask(running, "good", stream=True, pointsman={"include_cost": True}))[-1]

    assert ([], 12, "priced") == (last["choices"], last["usage"]["prompt_tokens"], last["usage"]["cost_source"])


@pytest.mark.parametrize("stream", [False, True])
def test_an_estimate_says_that_it_is_one(running, stream):
    """Where the endpoint does not count; what is expected is what the log has."""
    response = ask(running, "no-usage", stream=stream, pointsman={"include_cost": True})
    usage = (chunks(response)[-1] if stream else response.json())["usage"]

    assert "estimated" == usage["cost_source"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert float(running.logged()[0].outcome.cost_usd) == usage["cost"] > 0


def test_the_openai_client_shows_it(running):
    """As a further member of its usage, by header too."""
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key="none")
    stream = client.chat.completions.create(
        model="good", messages=ASK["messages"], stream=True, extra_headers={"x-pointsman-include-cost": "true"}
    )
    last = list(stream)[-1]

    assert last.usage.model_extra["cost"] > 0
