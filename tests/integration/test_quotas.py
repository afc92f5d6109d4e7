"""Quotas as callers meet them: by key, team, model, and over replicas."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

import httpx2
import pytest

from tests.redis_server import redis_server

ASK = {"messages": [{"role": "user", "content": "Say hello."}]}
CALLERS = {"ann": {"key": "ann-key", "team": "blue"}, "bob": {"key": "bob-key", "team": "blue"}}


def ask(running, model="good", key="ann-key", **fields):
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(
        f"{running.url}/v1/chat/completions", json={"model": model, **ASK, **fields}, headers=headers, timeout=20
    )


def told(response):
    return response.status_code, response.json()["error"]["code"]


def test_a_limit_of_requests_holds(serve, upstream):
    """For each key its own; the headers say what is left, and when to come back."""
    running = serve(
        callers=CALLERS, quotas=[{"name": "rpm", "per": "key", "unit": "requests", "amount": 2, "window": "minute"}]
    )
    answers = [ask(running) for _ in range(3)]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert ["1", "0"] == [answer.headers["x-ratelimit-remaining-requests"] for answer in answers[:2]]
    assert ((429, "rate_limit_exceeded"), True) == (
        told(answers[2]),
        0 < float(answers[2].headers["retry-after"]) <= 60,
    )
    assert 200 == ask(running, key="bob-key").status_code
    assert (3, 3) == (len(upstream.requests), len(running.logged()))


def test_a_budget_is_hard(serve):
    """It counts what answers cost, to the nano-dollar, and is refused with OpenAI's code; nobody is told to repeat that."""
    budget = {"name": "day", "per": "team", "unit": "usd", "amount": 0.0004, "window": "day"}
    running = serve(callers=CALLERS, quotas=[budget])
    answers = [ask(running, key=key, max_tokens=100) for key in ["ann-key", "bob-key"] * 8]
    refused = [answer for answer in answers if answer.status_code != 200]

    assert {(429, "insufficient_quota")} == {told(answer) for answer in refused}
    assert {"false"} == {answer.headers["x-should-retry"] for answer in refused}
    spent = sum((entry.outcome.cost_usd for entry in running.logged()), start=Decimal(0))
    assert Decimal("0.00016") < spent <= Decimal("0.0004")
    assert 16 > len(running.logged()) > 5


def test_nothing_is_counted_for_what_failed(serve):
    """A request that nobody answered gives back what it held."""
    quota = {"name": "two", "per": "everyone", "unit": "requests", "amount": 2, "window": "hour"}
    running = serve(callers=CALLERS, quotas=[quota])
    assert [400] * 4 == [ask(running, "status-400").status_code for _ in range(4)]

    assert [200, 200, 429] == [ask(running).status_code for _ in range(3)]


def test_places_are_given_back(serve):
    """So many requests at a time, whole, streamed, left and failed alike."""
    quota = {"name": "one", "per": "key", "unit": "concurrent", "amount": 1}
    running = serve(callers=CALLERS, quotas=[quota], limits={"repeats": 0})
    ways = [("good", False), ("good", True), ("status-400", False), ("breaks", True), ("away", False)]
    for model, stream in ways:
        ask(running, model, stream=stream)
    with httpx2.stream(
        "POST",
        f"{running.url}/v1/chat/completions",
        json={"model": "slow", "stream": True, **ASK},
        headers={"authorization": "Bearer ann-key"},
    ) as slow:
        assert 200 == slow.status_code
        pieces = slow.iter_bytes()  # which would close the stream where nobody held it
        next(pieces)
        assert (429, "rate_limit_exceeded") == told(ask(running))
    deadline = time.monotonic() + 5
    while ask(running).status_code == 429:
        assert time.monotonic() < deadline


def test_a_models_quota_moves_its_requests(serve):
    """Others of the pool answer; where there is no other, the client is told."""
    quota = {"name": "few", "per": "model", "of": ["good"], "unit": "requests", "amount": 2, "window": "day"}
    policy = {"pool": ["good", "other"], "router": {"type": "fixed", "model": "good"}, "fallback": ["other"]}
    running = serve({"p": policy}, callers=CALLERS, quotas=[quota])
    answers = [ask(running, "p") for _ in range(4)]

    assert ["good", "good", "other", "other"] == [answer.headers["x-pointsman-model"] for answer in answers]
    assert "quota: few has too little left" in running.logged()[-1].decision.trace["removed"]["good"]
    assert (429, "insufficient_quota") == told(ask(running, "good"))


def test_a_request_that_does_not_fit_into_a_models_quota_is_not_drawn_for_it(serve):
    """Else it would be drawn anew, and the log would say that it might have gone where it could not."""
    quota = {"name": "few", "per": "model", "of": ["good"], "unit": "tokens", "amount": 60, "window": "day"}
    policy = {"pool": ["good", "other"], "router": {"type": "random"}}
    running = serve({"p": policy}, callers=CALLERS, quotas=[quota])

    for _ in range(8):
        assert "other" == ask(running, "p", max_tokens=100).headers["x-pointsman-model"]
    assert [{"other": 1.0}] * 8 == [logged.decision.propensities for logged in running.logged()]
    drawn = {ask(running, "p", max_tokens=1).headers["x-pointsman-model"] for _ in range(20)}
    assert {"good", "other"} == drawn


def test_a_key_has_quotas_of_its_own(serve):
    """A caller in the file."""
    own = {"name": "mine", "unit": "requests", "amount": 1, "window": "day"}
    running = serve(callers={**CALLERS, "ann": {"key": "ann-key", "quotas": [own]}})

    assert [200, 429] == [ask(running).status_code for _ in range(2)]
    assert [200, 200] == [ask(running, key="bob-key").status_code for _ in range(2)]


def test_candidates_get_cheaper_as_money_gets_scarce(serve):
    """The trace says how scarce it is; the dial is where it was for others."""
    prices = {"good": {"input": 1, "output": 2}, "other": {"input": 100, "output": 200}}
    budget = {
        "name": "b",
        "per": "key",
        "unit": "usd",
        "amount": 0.1,
        "window": "day",
        "when_out": "downgrade",
        "from": 0.02,
    }
    running = serve(
        {"p": {"pool": ["good", "other"], "router": {"type": "zero", "quality_weight": 0.9}}},
        callers=CALLERS,
        quotas=[budget],
        models={name: {"provider": "up", "price": price} for name, price in prices.items()},
    )
    pressures = []
    for n in range(30):
        answer = ask(running, "p", max_tokens=16 + n, key="ann-key")
        if answer.status_code != 200:
            break
        pressures.append(running.logged()[-1].decision.trace["pressure"])

    assert {"price_of_money": 1.0, "used": {"b": 0.0}} == pressures[0]
    assert pressures[-1]["used"]["b"] > 0
    assert [one["price_of_money"] for one in pressures] == sorted(one["price_of_money"] for one in pressures)


def test_two_replicas_count_together(serve, tmp_path):
    """Exactly as many requests pass as the quota has, whichever replica they come to."""
    with redis_server(tmp_path) as redis:
        quota = {"name": "n", "per": "everyone", "unit": "requests", "amount": 40, "window": "day"}
        sections = {"callers": CALLERS, "quotas": [quota], "redis": {"url": redis.url, "timeout_ms": 20_000}}
        replicas = [serve(**sections), serve(**sections)]

        async def crowd() -> list[int]:
            limits = httpx2.Limits(max_connections=200)
            async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
                tasks = [
                    client.post(
                        f"{replicas[n % 2].url}/v1/chat/completions",
                        json={"model": "good", **ASK},
                        headers={"authorization": "Bearer ann-key"},
                    )
                    for n in range(200)
                ]
                return [answer.status_code for answer in await asyncio.gather(*tasks)]

        statuses = asyncio.run(crowd())

    assert (40, 160) == (statuses.count(200), statuses.count(429))


@pytest.mark.parametrize(("away", "status"), [("open", 200), ("closed", 503)])
def test_redis_may_go(serve, tmp_path, away, status):
    """What passes meanwhile is a setting; it comes back to what was counted."""
    with redis_server(tmp_path) as redis:
        quota = {"name": "n", "per": "key", "unit": "requests", "amount": 3, "window": "day"}
        running = serve(callers=CALLERS, quotas=[quota], redis={"url": redis.url, "timeout_ms": 500, "quotas": away})
        assert 200 == ask(running).status_code
        redis.stop()
        assert status == ask(running).status_code
        redis.start()
        time.sleep(2.5)
        left = [ask(running).status_code for _ in range(3)]

    assert ([200, 429, 429] if away == "open" else [200, 200, 429]) == left
