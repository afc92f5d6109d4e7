"""Exploration over HTTP: who does without, what is counted, and how a day's money ends it."""

from __future__ import annotations

import httpx2
import pytest

ROUTER = {
    "type": "estimating",
    "estimator": {"type": "constant"},
    "rule": {"type": "epsilon", "epsilon": 1, "floor": 0},
}
POLICIES = {
    "free": {"pool": ["good", "other"], "router": ROUTER},
    "off": {"pool": ["good", "other"], "router": ROUTER, "exploration": {"enabled": False}},
    "capped": {"pool": ["good", "other"], "router": ROUTER, "exploration": {"max_usd_per_day": 0.0}},
    "paid": {"pool": ["good", "other"], "router": ROUTER, "exploration": {"max_usd_per_day": 100.0}},
}
CALLERS = {"calm": {"key": "sk-calm", "exploration": False}, "any": {"key": "sk-any"}}
ASK = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def running(serve):
    return serve(POLICIES, callers=CALLERS)


def post(running, model, key="sk-any", headers=None, path="/v1/route", **body):
    whole = {"model": model, "messages": ASK, **body}
    shown = {"authorization": f"Bearer {key}", **(headers or {})}
    return httpx2.post(f"{running.url}{path}", json=whole, headers=shown, timeout=20)


def chances(response):
    return sorted(one["propensity"] for one in response.json()["candidates"])


@pytest.mark.parametrize(
    ("asked", "off"),
    [
        ({"model": "off"}, "policy"),
        ({"model": "capped"}, "budget"),
        ({"model": "free", "key": "sk-calm"}, "caller"),
        ({"model": "free", "headers": {"x-pointsman-explore": "off"}}, "request"),
        ({"model": "free", "pointsman": {"explore": False}}, "request"),
    ],
)
def test_whoever_does_not_want_it_gets_the_best(running, asked, off):
    """For certain; `why` says who did not want it."""
    response = post(running, **asked)

    assert [0.0, 1.0] == chances(response)
    assert response.json()["why"].endswith(f"exploration=off({off})")


@pytest.mark.parametrize("headers", [{}, {"x-pointsman-explore": "on"}, {"x-pointsman-explore": "true"}])
def test_everyone_else_is_explored_with(running, headers):
    """A header cannot ask for more than there is."""
    assert [0.5, 0.5] == chances(post(running, "free", headers=headers))
    assert [0.0, 1.0] == chances(post(running, "off", headers=headers))


def test_a_header_that_says_neither_is_refused(running):
    """What cannot be respected must not seem to be."""
    response = post(running, "free", headers={"x-pointsman-explore": "sometimes"})

    assert (400, "x-pointsman-explore") == (response.status_code, response.json()["error"]["param"])


def test_what_was_explored_is_counted_and_logged(running):
    """Metrics, the day's money and the log agree; a decision that is only asked about costs nothing."""
    for _ in range(5):
        post(running, "paid")
    for _ in range(12):
        assert 200 == post(running, "paid", path="/v1/chat/completions").status_code
    told = [one.decision.trace["exploration"] for one in running.logged()]
    decisions = [one.decision for one in running.logged()]
    strayed = [d for d in decisions if d.chosen != d.trace["exploration"]["best"]]
    metrics = httpx2.get(f"{running.url}/metrics").text
    spent = sum(d.trace["exploration"]["extra_usd"] for d in strayed)

    assert all(one["on"] for one in told)
    assert 100.0 == max(one["left_usd"] for one in told)
    assert (f'pointsman_explored_total{{policy="paid"}} {len(strayed)}.0' in metrics) == bool(strayed)
    assert min(one["left_usd"] for one in told) == pytest.approx(100 - spent, abs=1e-3)
