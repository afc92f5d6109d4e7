"""The paths beside chat: the decision explained, probes, metrics, unknown URLs."""

from __future__ import annotations

import httpx2
import pytest

LEARNED = {
    "auto": {
        "pool": ["good", "other"],
        "router": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0.1}},
    }
}
ASK = {"messages": [{"role": "user", "content": "Say hello."}]}


@pytest.fixture
def running(serve):
    return serve(LEARNED)


def test_route_explains_without_sending(running, upstream):
    """Candidates with propensities, estimates and costs; nothing is sent, nothing logged."""
    response = httpx2.post(f"{running.url}/v1/route", json={"model": "auto:0.3", **ASK}).json()

    assert ("auto", "constant*greedy floor=0.1 w=0.3") == (response["policy"], response["why"])
    assert {"good": 0.95, "other": 0.05} == pytest.approx({c["model"]: c["propensity"] for c in response["candidates"]})
    assert all(c["reward"]["mean"] == 0.5 and c["expected_cost_usd"] > 0 for c in response["candidates"])
    assert [] == upstream.requests
    assert [] == running.logged()


@pytest.mark.parametrize("name", ["auto", "auto:cheap", "auto:best", "auto:0.3", "auto:1", "auto:.5"])
def test_the_dial_is_part_of_the_name(running, name):
    """What an unmodified SDK can send turns the dial; the log says what was asked for."""
    response = httpx2.post(f"{running.url}/v1/chat/completions", json={"model": name, **ASK})

    assert 200 == response.status_code
    (logged,) = running.logged()
    assert ("auto", name) == (logged.decision.policy, logged.decision.requested_model)


def test_probes(running):
    """Alive and ready; not ready once it is about to stop."""
    assert 200 == httpx2.get(f"{running.url}/healthz").status_code
    assert 200 == httpx2.get(f"{running.url}/readyz").status_code
    running.gateway.stopping = True
    assert 503 == httpx2.get(f"{running.url}/readyz").status_code
    running.gateway.stopping = False


def test_metrics_count_what_happened(running):
    """Requests, tokens, cost and propensities are there for Prometheus."""
    httpx2.post(f"{running.url}/v1/chat/completions", json={"model": "good", **ASK})
    text = httpx2.get(f"{running.url}/metrics").text

    assert 'pointsman_requests_total{model="good",policy="good",status="200"} 1.0' in text
    assert 'pointsman_tokens_total{kind="completion",model="good"} 6.0' in text
    assert 'pointsman_cost_usd_total{model="good"} 2.2e-05' in text
    assert 'pointsman_propensity_count{policy="good"} 1.0' in text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("GET", "/v1/chat/completions", 405)]
)
def test_unknown_urls_are_answered_in_openais_shape(running, method, path, status):
    """Also what no endpoint answers."""
    response = httpx2.request(method, f"{running.url}{path}")

    assert status == response.status_code
    assert {"message", "type", "param", "code"} == set(response.json()["error"])
    assert response.headers["x-request-id"].startswith("req_")


def test_a_plain_request_id_of_the_callers_is_kept(running):
    """Others could forge headers or log lines, and are replaced."""
    kept = httpx2.get(f"{running.url}/healthz", headers={"x-request-id": "abc-1"})
    replaced = httpx2.get(f"{running.url}/healthz", headers={"x-request-id": "a b\tc"})

    assert "abc-1" == kept.headers["x-request-id"]
    assert replaced.headers["x-request-id"].startswith("req_")


def test_text_and_embedding_are_stored_only_if_the_configuration_says_so(serve):
    """By default the log holds no word of a prompt."""
    for text in (False, True):
        running = serve(LEARNED, store={"type": "memory", "text": text})
        httpx2.post(f"{running.url}/v1/chat/completions", json={"model": "auto", **ASK})
        assert ("Say hello." if text else None) == running.logged()[0].decision.text
