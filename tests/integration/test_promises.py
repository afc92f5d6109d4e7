"""A promise through a whole gateway: judges compare with the reference, and what they find has consequences."""

from __future__ import annotations

import json
import re
import time

import httpx2
import numpy as np
import pytest

from routers.registry import build_router
from routers.types import Outcomes
from tests.played import playing

SPEC = {
    "type": "promise",
    "reference": "large",
    "alpha": 0.1,
    "router": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0}},
}
NONCE = re.compile(r"<<<([0-9a-f]{24}) CONVERSATION")


@pytest.fixture(scope="module")
def played():
    with playing() as played:
        played.plays |= {
            "small": lambda _: "A short answer.",
            "middle": lambda _: "Something else.",
            "large": lambda _: "A much longer answer than that.",
            "judge": preferring_long,
        }
        yield played


def preferring_long(body):
    """Return the verdict of a judge who likes long answers, wherever they stand."""
    said = body["messages"][-1]["content"]
    better = "A" if "longer" in said.partition("ANSWER B")[0] else "B"
    return json.dumps({"id": NONCE.search(said)[1], "better": better})


def proved(folder):
    """Write the state of a promise that was proved on answers that were all as good."""
    router = build_router(SPEC)
    n, models = 800, ("small", "middle", "large")
    vectors = np.random.default_rng(0).standard_normal((n, 4)).astype(np.float32)
    costs = np.tile(np.float32([0.1, 0.5, 1.0]), (n, 1))
    router.learn(Outcomes(models, vectors, np.ones((n, 3), np.float32), costs, np.full_like(costs, np.nan)))
    router.save(folder)
    return folder


def ask(running):
    body = {"model": "careful", "messages": [{"role": "user", "content": "What is it?"}]}
    return httpx2.post(f"{running.url}/v1/chat/completions", json=body, timeout=20).headers["x-pointsman-model"]


def metric(running, name):
    text = httpx2.get(f"{running.url}/metrics", timeout=20).text
    (found,) = re.findall(rf'^pointsman_promise_{name}{{policy="careful"}} (\S+)$', text, re.MULTILINE)
    return float(found)


def test_a_promise_that_judges_find_broken_is_made_stricter(serve, played, tmp_path):
    """The reference answers from then on, and metrics say why."""
    policy = {"pool": ["small", "middle", "large"], "router": SPEC, "state": str(proved(tmp_path / "state"))}
    known = played.sections("small", "middle", "large", "judge")
    judging = {"judge": "judge", "share": 1, "mode": "pairwise"}
    running = serve({"careful": policy}, judging=judging, **known)
    assert "small" == ask(running)
    assert (0, 0) == (metric(running, "alarm"), metric(running, "bound"))
    deadline = time.monotonic() + 20
    while "small" == ask(running):
        assert time.monotonic() < deadline
        time.sleep(0.1)

    assert "large" == ask(running)
    assert (1, -1) == (metric(running, "alarm"), metric(running, "setting"))
    told = [one for event in running.logged() for one in event.feedback if one.source == "judge:judge"]
    of_small = {one.other for one in told if one.model == "small"}
    assert {"large"} == of_small
