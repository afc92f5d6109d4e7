"""What the log, the metrics and the trace have of a plan's calls, and what is not made of them."""

from __future__ import annotations

import json
import time
from collections import Counter
from decimal import Decimal

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.app import create_app
from gateway.application import Gateway
from gateway.charging import owed
from gateway.config.files import read_files
from gateway.config.sides import open_side
from gateway.learning.rewards import RewardRules
from gateway.replay.columns import ALONE, missing_of
from gateway.replay.request import requests_of
from gateway.store.rows import rows
from tests.conftest import Running, write_config
from tests.upstream import running

PRICES = {"small": {"input": 1, "output": 2}, "middle": {"input": 3, "output": 5}, "large": {"input": 10, "output": 20}}
CASCADE = {
    "type": "cascade",
    "gate": {"type": "judge", "model": "large"},
    "router": {"type": "cheapest"},
    "thresholds": [0.5],
}
PANEL = {"type": "panel", "router": {"type": "cheapest"}, "size": 3, "merge": "vote"}
SAMPLES = {"type": "self_consistency", "router": {"type": "random"}}
ROUTERS = {"cascade": CASCADE, "panel": PANEL, "samples": SAMPLES, "one": {"type": "fixed", "model": "small"}}
#: What a model may do: answer, in two ways, judge, or fail.
LINES = ["42", "It is 7.", "VERDICT: YES", "VERDICT: NO", "", 500, 429]


def written(played):
    """Return the policies, and the sections of a gateway whose models are played."""
    models = {name: {"provider": "up", "price": price} for name, price in PRICES.items()}
    policies = {name: {"pool": list(PRICES), "router": router} for name, router in ROUTERS.items()}
    return policies, {**played.sections(*PRICES), "models": models}


@pytest.fixture
def start(serve, played):
    def start(**sections):
        policies, known = written(played)
        return serve(policies, **known, **sections)

    return start


@pytest.fixture(scope="module")
def one_gateway(tmp_path_factory, shared_played, shared_upstream):
    """Start a gateway that serves all examples."""
    folder = tmp_path_factory.mktemp("gateway")
    policies, known = written(shared_played)
    gateway = Gateway(write_config(folder, shared_upstream.url, policies, **known), {})
    with running(create_app(gateway)) as url:
        yield Running(url, gateway, folder), shared_played


def ask(gateway, policy, *, headers=None, timeout=30, **more):
    body = {"model": policy, "messages": [{"role": "user", "content": "What is 6 times 7?"}], **more}
    return httpx2.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=timeout)


def counted(gateway, name):
    """Return a counter's values by its labels."""
    samples = (one for metric in gateway.gateway.metrics.registry.collect() for one in metric.samples)
    return {tuple(one.labels.values()): one.value for one in samples if one.name == f"pointsman_{name}" and one.value}


def going_on(played):
    """Have the judge refuse what the small model says."""
    judged = lambda body: "VERDICT: NO" if "VERDICT" in body["messages"][-1]["content"] else "42"  # noqa: E731
    played.plays |= {"small": lambda _: "7", "middle": lambda _: "42", "large": judged}


def test_each_call_is_in_the_log_with_what_it_took(start, played):
    """The answer's own one, too; together they are what the request cost."""
    going_on(played)
    gateway = start()
    response = ask(gateway, "cascade")
    (event,) = gateway.logged()
    outcome = event.outcome

    assert [("small", "cheapest"), ("large", "judge large")] == [(c.model, c.why) for c in outcome.calls[:2]]
    assert ("large", "cascade step=2", "relayed") == (outcome.answer.model, outcome.answer.why, outcome.plan_end)
    assert "large" == outcome.served_by == response.headers["x-pointsman-model"]
    calls = (*outcome.calls, outcome.answer)
    assert str(len(calls)) == response.headers["x-pointsman-calls"]
    assert outcome.cost_usd == sum(call.cost_usd for call in calls)
    assert Decimal(response.headers["x-pointsman-cost-usd"]) == outcome.cost_usd
    assert 0 < outcome.answer.latency_s < outcome.latency_s
    assert {"asks": ["small"]} == event.decision.trace["plan"]


def test_each_model_is_charged_with_its_own_calls(start, played):
    """In the metrics; what a plan was for is counted by it."""
    going_on(played)
    gateway = start()
    ask(gateway, "cascade", stream=True)
    (event,) = gateway.logged()
    usd = Counter()
    for call in (*event.outcome.calls, event.outcome.answer):
        usd[(call.model,)] += float(call.cost_usd)

    assert usd == pytest.approx(counted(gateway, "cost_usd_total"))
    assert {("cascade", "relayed"): 1} == counted(gateway, "plans_total")
    made = counted(gateway, "plan_calls_total")
    assert (1, 2, 1) == tuple(
        made["cascade", *of] for of in (("small", "cheapest"), ("large", "judge"), ("large", "cascade"))
    )


@settings(max_examples=25, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from(sorted(ROUTERS)),
            st.booleans(),
            st.fixed_dictionaries({model: st.lists(st.sampled_from(LINES), min_size=1) for model in PRICES}),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_the_cost_is_that_of_all_calls_whatever_they_answer(asked, one_gateway):
    """No call is lost, none counted twice, and each is counted for its own model."""
    gateway, played = one_gateway
    before, known = len(gateway.logged()), Counter(counted(gateway, "cost_usd_total"))
    for policy, stream, lines in asked:
        turns = {model: iter(lines[model] * 50) for model in PRICES}
        played.plays |= {model: (lambda _, model=model, turns=turns: next(turns[model])) for model in PRICES}
        ask(gateway, policy, stream=stream)
    time.sleep(0.02)  # a stream's outcome follows its last byte
    usd = Counter()
    for event in gateway.logged()[before:]:
        outcome = event.outcome
        charged = [call for call in (*outcome.calls, *([outcome.own] if outcome.own else [])) if owed(call)]
        if outcome.calls:
            assert sum(call.cost_usd for call in charged) == (outcome.cost_usd or 0)
        for call in charged:
            usd[(call.model,)] += float(call.cost_usd)
    after = counted(gateway, "cost_usd_total")

    assert {m: after[m] - known[m] for m in after if after[m] - known[m] > 1e-12} == pytest.approx(
        {m: v for m, v in usd.items() if v}
    )


def test_a_client_that_leaves_in_mid_plan_pays_for_what_was_asked(start, played):
    """The log has the calls, the one under way included; the cost is theirs."""
    going_on(played)
    judged = played.plays["large"]
    played.plays["large"] = lambda body: (time.sleep(1.5), judged(body))[1]
    gateway = start()
    with pytest.raises(httpx2.ReadTimeout):
        ask(gateway, "cascade", timeout=0.7)
    while (outcome := gateway.logged()[0].outcome) is None:
        time.sleep(0.05)

    assert (499, None, None) == (outcome.status, outcome.served_by, outcome.answer)
    assert [("small", None), ("large", "cancelled")] == [(call.model, call.error) for call in outcome.calls]
    assert outcome.cost_usd == sum(call.cost_usd for call in outcome.calls) > 0
    assert {"small", "large"} == {model for (model,) in counted(gateway, "cost_usd_total")}


def test_who_may_see_the_trace_sees_the_calls(start, played):
    """Those that had ended before the answer began, with what they cost."""
    going_on(played)
    gateway = start(callers={"dev": {"key": "sk-dev-secret", "debug": True}})
    headers = {"authorization": "Bearer sk-dev-secret", "x-pointsman-debug": "true"}
    trace = json.loads(ask(gateway, "cascade", headers=headers).headers["x-pointsman-trace"])

    assert ["small", "large"] == [call["model"] for call in trace["calls"][:2]]
    assert all(Decimal(call["cost_usd"]) > 0 for call in trace["calls"])


def test_the_log_is_exported_with_the_calls(start, played):
    """As plain values, whose cost is exact."""
    going_on(played)
    gateway = start()
    ask(gateway, "cascade")
    gateway.logged()
    (row,) = rows(gateway.gateway.log)

    parts = [Decimal(call["cost_usd"]) for call in (*row["calls"], row["answer"])]
    assert Decimal(row["cost_usd"]) == sum(parts)
    assert "relayed" == row["plan_end"]


def test_a_replay_says_what_it_cannot_tell_of_plans(start, played):
    """Neither what one has answered is evidence for a single model, nor can it be told what one would answer."""
    going_on(played)
    gateway = start()
    for policy in ("cascade", "one"):
        ask(gateway, policy)
    planned, alone = gateway.logged()
    files = read_files(gateway.folder / "gateway.yaml", {})
    sides = {name: open_side(files, name) for name in ("cascade", "one")}

    def lacking(event, name):
        return missing_of(list(requests_of([event], [sides[name]], RewardRules())))[0]

    assert [True, True] == [ALONE in lacking(planned, name) for name in sides]
    assert [True, False] == [ALONE in lacking(alone, name) for name in sides]
