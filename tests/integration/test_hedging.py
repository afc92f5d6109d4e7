"""Hedging through a whole gateway, in front of models that are slow, silent or out of order."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from gateway.hedging.delays import LEAST
from tests.conftest import Running, write_config
from tests.paced import PATIENCE_S
from tests.upstream import USAGE
from tests.upstream import running as served

MODELS = ("first", "second", "third", "poor", "worse", "hare", "tortoise")
#: Quick answers, by model and whether they are streams: the few slow ones of these tests do not move the percentile.
WARM = {("first", True): 80, ("first", False): 30} | {
    (model, stream): LEAST for model in ("poor", "hare") for stream in (True, False)
}
#: Seconds for which a model is silent that is not waited for, and for which it is slow.
SILENT_S, SLOW_S = 15.0, 1.0
OWN_USD = Decimal(USAGE["prompt_tokens"] * 1 + USAGE["completion_tokens"] * 2) / 1_000_000
HEDGE = {"percentile": 80, "max_share": 1}


def policy(*pool, **more):
    return {"pool": list(pool), "router": {"type": "fixed", "model": pool[0]}, **more}


POLICIES = {
    "hedged": policy("first", "second", hedge=HEDGE),
    "plain": policy("first", "second"),
    "alone": policy("first", "second", hedge=HEDGE, fallback=[]),
    "penniless": policy("first", "second", hedge={**HEDGE, "max_usd_per_day": 0.0}),
    "once": policy("first", "second", hedge=HEDGE, limits={"attempts": 1}),
    "single": policy("first", "second", hedge=HEDGE, limits={"max_calls": 1}),
    "raced": policy("hare", "tortoise", hedge={**HEDGE, "percentile": 50}),
    "rare": policy("first", "second", hedge={**HEDGE, "max_share": 0.1}),
    "counted": policy("first", "second", hedge=HEDGE),
    "budgeted": policy("first", "second", hedge=HEDGE),
    "bounded": policy("first", "second", hedge=HEDGE, limits={"max_cost_usd": 0.0012}),
    "weary": policy("first", "third", hedge=HEDGE),
    "failing": policy("poor", "worse", hedge=HEDGE, limits={"repeats": 0}),
}
QUOTAS = [
    {"name": "four", "per": "policy", "of": ["counted"], "unit": "requests", "amount": 4, "window": "day"},
    {"name": "usd", "per": "policy", "of": ["budgeted"], "unit": "usd", "amount": 0.001, "window": "day"},
]


@pytest.fixture(scope="module")
def running(shared_paced, tmp_path_factory):
    """Return a gateway that knows how long its models take."""
    folder = tmp_path_factory.mktemp("gateway")
    path = write_config(folder, shared_paced.url, POLICIES, **shared_paced.sections(*MODELS), quotas=QUOTAS)
    gateway = Gateway(path, {})
    with served(create_app(gateway)) as url, httpx2.Client() as client:
        for (model, stream), times in WARM.items():
            body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hi."}]}
            for _ in range(times):
                assert 200 == client.post(f"{url}/v1/chat/completions", json=body, timeout=30).status_code
        yield Running(url, gateway, folder)


def ask(running, model="hedged", **more):
    body = {"model": model, "messages": [{"role": "user", "content": "Who are you?"}], **more}
    return httpx2.post(f"{running.url}/v1/chat/completions", json=body, timeout=30)


def text_of(response, *, stream):
    if not stream:
        return response.json()["choices"][0]["message"]["content"]
    chunks = [json.loads(line[6:]) for line in response.text.split("\n\n") if line and line != "data: [DONE]"]
    return "".join(one["choices"][0]["delta"].get("content", "") for one in chunks if one["choices"])


def logged(running, response):
    """Return what the log has on an answer."""
    wanted = response.headers["x-pointsman-decision-id"]
    return next(one for one in running.logged() if str(one.decision.id) == wanted)


def hedges(running, answered, model="hedged"):
    """Return how often a second candidate was asked, as the metrics count it."""
    name = f'pointsman_hedges_total{{answered="{answered}",policy="{model}"}} '
    lines = httpx2.get(f"{running.url}/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


@pytest.mark.parametrize("stream", [False, True])
def test_a_second_model_answers_where_the_first_is_silent(running, paced, stream):
    """At once, in one voice; the first is hung up on, and what it has read is paid for."""
    paced.seconds["first"] = SILENT_S
    before, began = hedges(running, "second"), time.monotonic()
    response = ask(running, stream=stream)

    assert time.monotonic() - began < SILENT_S / 2
    assert ("I am second.", "second") == (text_of(response, stream=stream), response.headers["x-pointsman-model"])
    assert paced.seen_leaving("first")
    one = logged(running, response)
    (call,) = one.outcome.calls
    assert ("first", 1.0, "second") == (one.decision.chosen, one.decision.propensities["first"], one.outcome.served_by)
    assert ("first", "cancelled", "estimated", 0) == (call.model, call.error, call.cost_source, call.completion_tokens)
    assert 0 < call.prompt_tokens
    assert Decimal(call.prompt_tokens) / 1_000_000 == call.cost_usd
    assert ("hedge", OWN_USD) == (one.outcome.answer.why, one.outcome.answer.cost_usd)
    assert OWN_USD + call.cost_usd == one.outcome.cost_usd
    assert {"first": "cancelled", "second": None} == {made.model: made.error for made in one.outcome.attempts}
    assert ("2", before + 1) == (response.headers["x-pointsman-calls"], hedges(running, "second"))


@pytest.mark.parametrize("stream", [False, True])
def test_the_first_may_answer_all_the_same(running, paced, stream):
    """Then the second is hung up on, and paid for."""
    paced.seconds |= {"first": SLOW_S, "second": SILENT_S}
    before = hedges(running, "first")
    response = ask(running, stream=stream)

    assert "I am first." == text_of(response, stream=stream)
    assert paced.seen_leaving("second")
    outcome = logged(running, response).outcome
    assert [("second", "hedge", "cancelled")] == [(one.model, one.why, one.error) for one in outcome.calls]
    assert ("first", before + 1) == (outcome.served_by, hedges(running, "first"))


def test_being_hung_up_on_is_no_failure(running, paced):
    """The first model is asked first again: its breaker did not open."""
    paced.seconds["first"] = SILENT_S
    for _ in range(4):
        assert "second" == ask(running, stream=True).headers["x-pointsman-model"]
    paced.seconds.clear()

    assert "first" == ask(running, stream=True).headers["x-pointsman-model"]
    assert 5 == paced.asked["first"]


def test_nobody_else_is_asked_who_may_not_be(running, paced):
    """It is off, nobody stands in, there is no money for it, it may not be sent twice, or the caller does not want it."""
    paced.seconds["first"] = SLOW_S
    denied = {"pointsman": {"deny_models": ["second"]}}
    asked = [("plain", {}), ("alone", {}), ("penniless", {}), ("once", {}), ("single", {}), ("hedged", denied)]
    with ThreadPoolExecutor(len(asked)) as pool:
        responses = list(pool.map(lambda one: ask(running, one[0], stream=True, **one[1]), asked))

    assert {"first"} == {response.headers["x-pointsman-model"] for response in responses}
    assert {"first": len(asked)} == paced.asked


def test_a_model_that_rests_is_not_asked(running, paced):
    """Who wants to be left alone would not be faster."""
    paced.statuses["third"] = 429
    assert 429 == ask(running, "third").status_code
    paced.seconds["first"] = SLOW_S

    assert "first" == ask(running, "weary", stream=True).headers["x-pointsman-model"]
    assert 1 == paced.asked["third"]


def test_no_more_than_its_share_is_hedged(running, paced):
    """A slow hour does not double the load."""
    for _ in range(10):
        ask(running, "rare", stream=True)
    paced.seconds["first"] = SLOW_S
    for _ in range(2):
        ask(running, "rare", stream=True)

    assert 1 == paced.asked["second"]


@pytest.mark.parametrize("stream", [False, True])
def test_where_both_fail_the_client_is_told(running, paced, stream):
    """With an error, and both failures are in the log."""
    paced.seconds["poor"] = SLOW_S
    paced.statuses |= {"poor": 500, "worse": 503}
    response = ask(running, "failing", stream=stream)

    assert (503, "worse is out of order") == (response.status_code, response.json()["error"]["message"])
    outcome = logged(running, response).outcome
    assert (None, 503, ()) == (outcome.served_by, outcome.status, outcome.calls)
    assert [("poor", 500, "candidate"), ("worse", 503, "escalated")] == [
        (one.model, one.status, one.then) for one in outcome.attempts
    ]


def test_a_first_that_fails_is_stood_in_for_at_once(running, paced):
    """As without hedging: a failure is not waited for."""
    paced.statuses["poor"] = 500
    response = ask(running, "failing", stream=True)

    assert "worse" == response.headers["x-pointsman-model"]
    assert () == logged(running, response).outcome.calls


@pytest.mark.parametrize("stream", [False, True])
def test_close_races_end_in_one_voice(running, paced, stream):
    """Whoever wins: one answer, every call is charged once, and everybody's place is given back."""
    rng = Random(7)

    def once(_):
        paced.seconds |= {"hare": rng.uniform(0.02, 0.3), "tortoise": rng.uniform(0.0, 0.1)}
        return ask(running, "raced", stream=stream)

    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(once, range(24)))
    outcomes = {str(one.decision.id): one.outcome for one in running.logged()}
    for response in responses:
        outcome = outcomes[response.headers["x-pointsman-decision-id"]]
        assert f"I am {response.headers['x-pointsman-model']}." == text_of(response, stream=stream)
        assert (None, outcome.served_by) == (outcome.error, response.headers["x-pointsman-model"])
        own = OWN_USD if outcome.answer is None else outcome.answer.cost_usd
        assert own + sum(call.cost_usd for call in outcome.calls) == outcome.cost_usd
        assert len({one.model for one in outcome.attempts}) == 1 + len(outcome.calls)
    assert any("2" == response.headers.get("x-pointsman-calls") for response in responses)
    assert [0, 0] == [
        running.gateway._fleet.condition(f"{one}@at-{one}").gate.in_flight for one in ("hare", "tortoise")
    ]


def test_a_client_that_leaves_leaves_both(running, paced):
    """Nothing goes on for nobody."""
    paced.seconds |= {"first": SILENT_S, "second": SILENT_S}
    already = {one.decision.id for one in running.logged()}
    body = {"model": "hedged", "stream": True, "messages": [{"role": "user", "content": "Who are you?"}]}
    with contextlib.suppress(httpx2.ReadTimeout):
        httpx2.post(f"{running.url}/v1/chat/completions", json=body, timeout=SLOW_S)

    assert (True, True) == (paced.seen_leaving("first"), paced.seen_leaving("second"))
    deadline = time.monotonic() + PATIENCE_S
    while not (ended := [one for one in running.logged() if one.outcome and one.decision.id not in already]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    outcome = ended[0].outcome
    assert (499, "client_left") == (outcome.status, outcome.error)
    assert {("first", "cancelled"), ("second", "cancelled")} == {(one.model, one.error) for one in outcome.attempts}


@pytest.mark.parametrize(("asked", "answers"), [({"max_tokens": 100}, "second"), ({}, "first")])
def test_what_a_request_may_cost_holds_for_both(running, paced, asked, answers):
    """What is left beside the first call pays for the second, or it is not made."""
    paced.seconds["first"] = SILENT_S if answers == "second" else SLOW_S
    response = ask(running, "bounded", stream=True, **asked)

    assert answers == response.headers["x-pointsman-model"]
    assert (answers == "second") is bool(paced.asked["second"])
    assert logged(running, response).outcome.cost_usd <= Decimal("0.0012")


def test_a_quota_of_requests_counts_one(running, paced):
    """It is one request of one client, whoever is asked."""
    paced.seconds["first"] = SILENT_S

    assert [200] * 4 + [429] == [ask(running, "counted", stream=True).status_code for _ in range(5)]
    assert 4 == paced.asked["second"]


def test_a_budget_counts_both(running, paced):
    """What the loser took is no gift; where there is too little for two, one is asked."""
    paced.seconds["first"] = SILENT_S
    response = ask(running, "budgeted", stream=True, max_tokens=100)
    spent = logged(running, response).outcome.cost_usd
    assert ("second", True) == (response.headers["x-pointsman-model"], spent > OWN_USD)
    paced.seconds["first"] = SLOW_S

    # It pays for one further answer of 300 tokens, but not for two.
    assert "first" == ask(running, "budgeted", stream=True, max_tokens=300).headers["x-pointsman-model"]
    assert 1 == paced.asked["second"]
