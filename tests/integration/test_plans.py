"""Plans of several calls, through a whole gateway, with models that answer as a test has them answer."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import httpx2
import pytest

CHEAP, DEAR = {"input": 1, "output": 2}, {"input": 10, "output": 20}
CASCADE = {
    "type": "cascade",
    "gate": {"type": "judge", "model": "large"},
    "router": {"type": "cheapest"},
    "thresholds": [0.5],
}
PANEL = {
    "type": "panel",
    "router": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy"}},
    "size": 2,
}
ASK = {"model": "p", "messages": [{"role": "user", "content": "What is 6 times 7?"}]}


@pytest.fixture
def start(serve, played):
    def start(router, sections=None, **policy):
        known = {**played.sections("small", "large"), **(sections or {})}
        known["models"]["small"]["price"], known["models"]["large"]["price"] = CHEAP, DEAR
        return serve({"p": {"pool": ["small", "large"], "router": router, **policy}}, **known)

    return start


def judged(verdict, answer="42, says the large one"):
    """Return a model that judges when it is asked to, and else answers."""

    def play(body):
        asked = body["messages"][-1]["content"]
        return f"VERDICT: {verdict}" if "VERDICT" in asked else answer

    return play


def ask(gateway, **more):
    return httpx2.post(f"{gateway.url}/v1/chat/completions", json=ASK | more, timeout=30)


def text_of(response):
    return response.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(("verdict", "served"), [("YES", "small"), ("NO", "large")])
def test_a_cascade_stops_at_the_first_answer_that_its_gate_lets_through(start, played, verdict, served):
    """The judge decides, and the log has every call with its cost."""
    played.plays |= {"small": lambda _: "42, says the small one", "large": judged(verdict)}
    gateway = start(CASCADE)
    response = ask(gateway)

    assert served in text_of(response)
    assert served == response.headers["x-pointsman-model"]
    (event,) = gateway.logged()
    made = [(call.model, call.why) for call in event.outcome.calls]
    assert (made[-1] == ("large", "judge large")) is True
    assert str(len(made) + 1) == response.headers["x-pointsman-calls"]
    assert event.outcome.served_by == served
    usd = Decimal(response.headers["x-pointsman-cost-usd"])
    assert usd == event.outcome.cost_usd > sum(call.cost_usd for call in event.outcome.calls)


def test_a_stream_is_relayed_as_it_came(start, played):
    """What was heard out first comes to the client in the same pieces."""
    played.plays |= {"small": lambda _: "42, says the small one", "large": judged("YES")}
    gateway = start(CASCADE)
    lines = [line for line in ask(gateway, stream=True).text.split("\n\n") if line]
    said = [json.loads(line[6:]) for line in lines[:-1]]

    assert "data: [DONE]" == lines[-1]
    assert "42, says the small one" == "".join(one["choices"][0]["delta"].get("content") or "" for one in said)
    assert len(said) > 3


def test_a_failed_step_is_not_the_clients_problem(start, played):
    """The next one is asked."""
    played.plays |= {"small": lambda _: 500, "large": judged("YES")}
    gateway = start(CASCADE)

    assert "large" in text_of(ask(gateway))


def test_a_judge_is_asked_without_the_clients_tools(start, played):
    """Its verdict is for the plan, not in the client's form."""
    played.plays |= {"small": lambda _: "42", "large": judged("YES")}
    ask(start(CASCADE), response_format={"type": "json_object"}, n=1, max_tokens=50)
    (verdict,) = played.asked("large")

    assert not verdict.keys() & {"response_format", "n", "tools", "stream_options"}
    assert (200, 0) == (verdict["max_tokens"], verdict["temperature"])


def test_no_plan_makes_more_calls_than_it_may(start, played):
    """What was heard last is returned."""
    played.plays |= {"small": lambda _: "42, says the small one", "large": judged("NO")}
    gateway = start(CASCADE, limits={"max_calls": 2})

    assert "small" in text_of(ask(gateway))
    assert 2 == len(played.requests)


def test_no_plan_takes_more_money_than_it_may(start, played):
    """Every step is asked for an answer that is no longer than can be paid for, also where the client sets no limit."""
    played.plays |= {"small": lambda _: "42, says the small one", "large": judged("NO")}
    gateway = start(CASCADE, limits={"max_cost_usd": 0.0105})

    assert "large" in text_of(ask(gateway))
    (step,), (verdict, answer) = played.asked("small"), played.asked("large")
    assert step["max_tokens"] * CHEAP["output"] <= 10_500 / 2
    assert 200 == verdict["max_tokens"]
    assert 500 < answer["max_tokens"] <= 10_500 / DEAR["output"]


def test_a_panel_returns_what_most_of_it_says(start, played):
    """Answers come at once, and those that come to the same are one vote more."""
    played.plays |= {"small": lambda _: "The answer is 42.", "large": lambda _: "so it is \\boxed{42}"}
    gateway = start(PANEL)
    response = ask(gateway)

    assert 200 == response.status_code
    assert "42" in text_of(response)
    (event,) = gateway.logged()
    assert 1 == len(event.outcome.calls)


def test_a_panel_goes_on_without_a_member_that_is_down(start, played):
    """Where all are, the client is told so as of a single call, and may try again."""
    played.plays |= {"small": lambda _: "The answer is 42.", "large": lambda _: 500}
    gateway = start(PANEL, fallback=[])
    assert "42" in text_of(ask(gateway))

    played.plays["small"] = lambda _: 503
    failed = ask(gateway)
    assert (True, None) == (failed.status_code in {500, 503}, failed.headers.get("x-should-retry"))
    first, last = gateway.logged()
    assert [["large"], ["large", "small"]] == [sorted(c.model for c in e.outcome.calls) for e in (first, last)]


def test_a_quota_holds_all_that_a_plan_may_take_and_counts_what_it_took(start, played):
    """It is refused before anything is sent where that is more than is left: here three calls of a cent each."""
    played.plays |= {"small": lambda _: "42", "large": judged("NO")}
    quota = {"name": "day", "per": "everyone", "unit": "usd", "amount": 0.032, "window": "day"}
    refused = ask(start(CASCADE, {"quotas": [quota]}))
    assert (429, "insufficient_quota", []) == (refused.status_code, refused.json()["error"]["code"], played.requests)

    gateway = start(CASCADE, {"quotas": [quota]}, limits={"max_calls": 3})
    answers = [ask(gateway) for _ in range(3)]
    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert ("3", Decimal("0.000504")) == (
        answers[0].headers["x-pointsman-calls"],
        Decimal(answers[0].headers["x-pointsman-cost-usd"]),
    )


def test_a_client_that_leaves_cancels_what_is_under_way_and_the_log_has_it(start, played):
    """The answer that had come is charged, and of the other one the prompt."""
    played.plays |= {"small": lambda _: "42", "large": lambda _: time.sleep(2) or "42"}
    gateway = start(PANEL)
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(f"{gateway.url}/v1/chat/completions", json=ASK, timeout=1)
    deadline = time.monotonic() + 10
    while not (logged := gateway.logged()) or logged[0].outcome is None:
        assert time.monotonic() < deadline
    outcome = logged[0].outcome

    assert (499, "client_left") == (outcome.status, outcome.error)
    assert {("small", None, "priced"), ("large", "cancelled", "estimated")} == {
        (call.model, call.error, call.cost_source) for call in outcome.calls
    }
    assert outcome.cost_usd == sum(call.cost_usd for call in outcome.calls) > 0
