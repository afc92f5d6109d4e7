"""The policy that served is replayed on its own log: nothing moves, whatever the requests had asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest

from gateway.replay.assembly import Asked, Span, replay
from gateway.replay.settings import Settings

ASK = [{"role": "user", "content": "Say hello."}]
PRICES = {"good": {"input": 1, "output": 2}, "other": {"input": 100, "output": 200}}
MODELS = {name: {"provider": "up", "price": price} for name, price in PRICES.items()}
REQUESTS = 240
CALLERS = {"calm": {"key": "sk-calm", "exploration": False}, "any": {"key": "sk-any"}}


def policy(**rule):
    router = {"type": "estimating", "estimator": {"type": "constant"}, "rule": rule}
    return {"p": {"pool": ["good", "other"], "router": router}}


def post(running, *, key="sk-any", headers=None, **body):
    shown = {"authorization": f"Bearer {key}", **(headers or {})}
    response = httpx2.post(
        f"{running.url}/v1/chat/completions", json={"model": "p", "messages": ASK, **body}, headers=shown, timeout=20
    )
    assert 200 == response.status_code, response.text


def replayed(running):
    """Replay the policy that serves."""
    running.logged()
    (config,) = running.folder.rglob("gateway.yaml")
    (written,) = running.folder.rglob("p.yaml")
    asked = Asked(written, None, config, config, Span(None, None, None), None, (), Settings())
    document, _ = replay(asked, ["pointsman", "replay"], datetime.now(UTC), {})
    return document


@pytest.mark.parametrize(
    "turned",
    [
        {"headers": {"x-pointsman-quality-weight": "best"}},
        {"pointsman": {"quality_weight": 1.0}},
        {"model": "p:cheap", "pointsman": {"quality_weight": 1.0}},
        {"model": "p:best"},
    ],
)
def test_a_dial_that_requests_turned_stays_where_they_had_it(serve, turned):
    """By header, body or name."""
    running = serve(policy(type="softmax", temperature=0.3, floor=0.02), models=MODELS)
    for _ in range(REQUESTS):
        post(running, **turned)
    found = replayed(running)

    assert 0.0 == pytest.approx(found["moved"])
    assert [] == found["answers"]["cost"]["refused"]
    assert 0.0 == pytest.approx(found["answers"]["cost"]["estimates"]["dr"]["relative"]["value"])


@pytest.mark.parametrize("calm", [{"key": "sk-calm"}, {"headers": {"x-pointsman-explore": "off"}}])
def test_who_did_not_want_to_be_explored_with_is_not(serve, calm):
    """So the policy goes nowhere where no probability was logged."""
    running = serve(policy(type="epsilon", epsilon=0.1, floor=0), callers=CALLERS)
    for number in range(REQUESTS):
        post(running, **(calm if number % 2 else {}))
    found = replayed(running)

    assert 0.0 == pytest.approx(found["moved"])
    assert [] == found["answers"]["cost"]["refused"]
    assert 0.0 == found["answers"]["cost"]["unsupported"]
