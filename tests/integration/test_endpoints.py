"""Models with several endpoints and keys: which is asked, and who notices when one fails."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.upstream import Upstream
from tests.upstream import upstream as another_upstream

ASK = {"messages": [{"role": "user", "content": "Say hello."}]}
AWAY = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:1/v1"}


@pytest.fixture
def other():
    """Another server that answers."""
    with another_upstream() as second:
        yield second


def here(upstream: Upstream, **more):
    return {"vendor": "openai-compatible", "base_url": upstream.url, **more}


def ask(running, model="m", **fields):
    return httpx2.post(f"{running.url}/v1/chat/completions", json={"model": model, **ASK, **fields}, timeout=20)


def path(entry):
    return [(attempt.endpoint, attempt.error, attempt.then) for attempt in entry.outcome.attempts]


@pytest.mark.parametrize("stream", [False, True])
def test_another_endpoint_answers_for_one_that_is_away(serve, upstream, stream):
    """The client does not notice; the log says what followed from what, and the next request does not try it."""
    running = serve(
        providers={"gone": AWAY, "up": here(upstream)},
        models={"m": {"endpoints": [{"provider": "gone", "weight": 1000}, {"provider": "up"}], "balance": "weighted"}},
    )
    failed, spared = [("m@gone", "connect_failed", "endpoint"), ("m@up", None, None)], [("m@up", None, None)]
    deadline = time.monotonic() + 20
    # The rests grow: also where a request takes longer than the first, one of the next comes during a rest.
    while [failed, spared] != [path(entry) for entry in running.logged()][-2:]:
        assert time.monotonic() < deadline
        assert 200 == ask(running, stream=stream).status_code


def test_requests_are_spread(serve, upstream, other):
    """By weight, under each provider's name for the model."""
    endpoints = [{"provider": "up", "name": "x"}, {"provider": "other", "name": "y", "weight": 3}]
    running = serve(
        providers={"up": here(upstream), "other": here(other)},
        models={"m": {"endpoints": endpoints, "balance": "weighted"}},
    )
    for _ in range(80):
        assert 200 == ask(running).status_code

    assert 80 == upstream.calls["x"] + other.calls["y"]
    assert 8 < upstream.calls["x"] < 35


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("status-401", "provider_misconfigured"),
        ("status-403", "provider_misconfigured"),
        ("status-402", "insufficient_quota"),
        ("status-429", "rate_limited"),
        ("status-429-quota", "insufficient_quota"),
    ],
)
def test_the_next_key_is_taken(serve, upstream, bad, error):
    """One that is refused, limited or used up is spared; no key is logged."""
    running = serve(
        providers={"up": here(upstream, api_key=f"{bad},good")}, models={"m": {"provider": "up", "name": "keyed"}}
    )
    answers = [ask(running) for _ in range(12)]

    assert {200} == {answer.status_code for answer in answers}
    shown = [headers["authorization"] for headers in upstream.headers]
    assert (12, True) == (shown.count("Bearer good"), shown.count(f"Bearer {bad}") <= 1)
    paths = [path(entry) for entry in running.logged()]
    assert paths.count([("m@up", error, "key"), ("m@up", None, None)]) == shown.count(f"Bearer {bad}")


def test_an_account_without_money_is_not_asked_again(serve, upstream):
    """The client hears 429 with OpenAI's own code, and is told not to repeat it."""
    running = serve(models={"m": {"provider": "up", "name": "status+429-quota"}}, providers={"up": here(upstream)})
    answer = ask(running)

    assert (429, "insufficient_quota", "false") == (
        answer.status_code,
        answer.json()["error"]["code"],
        answer.headers["x-should-retry"],
    )
    assert 1 == len(upstream.requests)


def test_who_asks_to_be_left_alone_is(serve, upstream):
    """Also where nobody else is left: the request waits, or the client is told how long."""
    running = serve(models={"m": {"provider": "up", "name": "status+503"}}, providers={"up": here(upstream)})
    began = time.monotonic()
    first, second = ask(running), ask(running, max_tokens=5)

    assert [503, 503] == [first.status_code, second.status_code]
    assert {"retry-after", "retry-after-ms"} <= first.headers.keys()
    assert len(upstream.requests) <= 1 + (time.monotonic() - began) / 2


def test_an_outage_does_not_make_a_storm(serve, upstream):
    """Twenty clients that come again and again reach a server that fails a few times only."""
    running = serve(models={"m": {"provider": "up", "name": "status+500"}}, providers={"up": here(upstream)})
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: ask(running).status_code, range(60)))

    assert {500, 503} >= set(statuses)
    assert len(upstream.requests) < 60


def test_an_endpoint_gets_as_many_requests_as_it_takes(serve, upstream):
    """Others wait their turn, or go where there is room; more than may wait get a 429."""
    concurrency = {"max": 2, "queue": 3, "queue_s": 20}
    running = serve(
        {"p": {"pool": ["m", "good"], "router": {"type": "fixed", "model": "m"}, "fallback": ["good"]}},
        providers={"small": here(upstream, concurrency=concurrency), "up": here(upstream)},
        models={"m": {"provider": "small", "name": "slow"}, "good": {"provider": "up"}},
    )
    with ThreadPoolExecutor(8) as pool:
        alone = [pool.submit(ask, running, "m") for _ in range(8)]
        statuses = sorted(future.result().status_code for future in alone)
    assert [200] * 5 + [429] * 3 == statuses
    refused = next(future.result() for future in alone if future.result().status_code == 429)
    assert ("no_room", "1") == (refused.json()["error"]["code"], refused.headers["retry-after"])

    with ThreadPoolExecutor(6) as pool:
        together = [future.result() for future in [pool.submit(ask, running, "p") for _ in range(6)]]
    assert {200} == {answer.status_code for answer in together}
    assert 2 <= sum(answer.headers["x-pointsman-model"] == "good" for answer in together)


def test_a_request_of_higher_priority_goes_first(serve, upstream):
    """A caller can only make its own less urgent."""
    running = serve(
        providers={"up": here(upstream, concurrency={"max": 1})},
        models={"m": {"provider": "up", "name": "slow"}},
        callers={"vip": {"key": "vip-key", "priority": "high"}, "ann": {"key": "ann-key"}},
    )

    def timed(key, priority):
        headers = {"authorization": f"Bearer {key}", **({"x-pointsman-priority": priority} if priority else {})}
        body = {"model": "m", **ASK}
        assert (
            200 == httpx2.post(f"{running.url}/v1/chat/completions", json=body, headers=headers, timeout=20).status_code
        )
        return time.monotonic()

    with ThreadPoolExecutor(4) as pool:
        futures = []
        for one in [("ann-key", None), ("ann-key", "low"), ("ann-key", "high"), ("vip-key", None)]:
            futures.append(pool.submit(timed, *one))
            time.sleep(0.15)
        first, low, normal, vip = (future.result() for future in futures)

    assert first < vip < normal < low


def test_a_health_check_notices_first(serve, upstream):
    """An endpoint that fails is not chosen before a request has met it, and used again when it is well."""
    check = {"path": "no-such-page", "every_s": 0.05, "timeout_s": 1}
    gone = {**AWAY, "health_check": check}
    running = serve(
        providers={"gone": gone, "up": here(upstream, health_check=check)},
        models={"m": {"endpoints": [{"provider": "gone", "weight": 1000}, {"provider": "up"}], "balance": "weighted"}},
    )
    deadline = time.monotonic() + 5
    while running.gateway._fleet.condition("m@gone").breaker.closed:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert 200 == ask(running).status_code

    assert [[("m@up", None, None)]] == [path(entry) for entry in running.logged()]
    assert running.gateway._fleet.condition("m@up").breaker.closed


def test_the_callers_key_goes_no_further(serve, upstream):
    """Unless the configuration says so."""
    running = serve(
        providers={"own": here(upstream), "through": here(upstream, forward_authorization=True)},
        models={"a": {"provider": "own"}, "b": {"provider": "through"}},
    )
    for model in ("a", "b"):
        httpx2.post(
            f"{running.url}/v1/chat/completions", json={"model": model, **ASK}, headers={"authorization": "Bearer mine"}
        )

    assert [None, "Bearer mine"] == [headers.get("authorization") for headers in upstream.headers]


def test_a_reload_keeps_what_is_known(serve, upstream):
    """An endpoint that rests goes on resting."""
    running = serve(providers={"gone": AWAY, "up": here(upstream)}, models={"m": {"provider": "gone"}})
    assert 502 == ask(running, max_tokens=1).status_code
    path_ = running.folder / "gateway.yaml"
    path_.write_text(path_.read_text() + "\n# changed\n")
    deadline = time.monotonic() + 5
    while running.gateway.metrics.reloads.labels("taken")._value.get() < 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    assert not running.gateway._fleet.condition("m@gone").breaker.closed
