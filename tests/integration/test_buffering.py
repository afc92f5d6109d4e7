"""Plans that look at answers first: what clients are told, and how their connections are kept alive meanwhile."""

from __future__ import annotations

import json
import time

import httpx2
import openai
import pytest
from openai import OpenAI

from gateway.app import create_app
from gateway.application import Gateway
from gateway.waiting import COMMENT
from tests.conftest import Running, write_config
from tests.paced import PATIENCE_S
from tests.upstream import USAGE
from tests.upstream import running as served

POOL = ["small", "large"]
PRICES = {"small": {"input": 1, "output": 2}, "large": {"input": 10, "output": 20}}
MODELS = ("small", "large", "judge", "bad", "worse", "ill", "dead")
#: Answers that are truncated or empty are let through nowhere; here all are good.
LENIENT = {"type": "cascade", "gate": {"type": "wellformed"}, "router": {"type": "cheapest"}, "thresholds": [0.0]}
STRICT = {**LENIENT, "gate": {"type": "judge", "model": "judge"}, "thresholds": [0.9]}
BREATH_S = 0.1
POLICIES = {
    "plain": {"pool": POOL, "router": {"type": "cheapest"}, "keep_alive_s": BREATH_S},
    "quiet": {"pool": POOL, "router": LENIENT},
    "kept": {"pool": POOL, "router": LENIENT, "keep_alive_s": BREATH_S},
    # Each with models of its own: who has failed a few times rests, and is left out of the next plan.
    "early-quiet": {"pool": ["bad", "worse"], "router": LENIENT},
    "early-kept": {"pool": ["bad", "worse"], "router": LENIENT, "keep_alive_s": 10.0},
    "late": {"pool": ["ill", "dead"], "router": LENIENT, "keep_alive_s": BREATH_S},
    "climbing": {"pool": [*POOL, "judge"], "router": STRICT, "keep_alive_s": BREATH_S},
}
ASK = [{"role": "user", "content": "Who are you?"}]
SLOW_S, SILENT_S = 0.5, 15.0


@pytest.fixture(scope="module")
def running(shared_paced, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    sections = shared_paced.sections(*MODELS, price={"input": 100, "output": 200})
    for model, price in PRICES.items():
        sections["models"][model]["price"] = price
    path = write_config(folder, shared_paced.url, POLICIES, **sections, limits={"repeats": 0})
    gateway = Gateway(path, {})
    with served(create_app(gateway)) as url:
        yield Running(url, gateway, folder)


@pytest.fixture(scope="module")
def sdk(running):
    with OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def ask(running, model, *, stream=True, path="chat/completions"):
    body = {"model": model, "messages": ASK, "stream": stream}
    return httpx2.post(f"{running.url}/v1/{path}", json=body, timeout=30)


def logged(running, headers):
    wanted = headers["x-pointsman-decision-id"]
    return next(one for one in running.logged() if str(one.decision.id) == wanted).outcome


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "buffered"), [("plain", None), ("small", None), ("quiet", "true"), ("kept", "true")])
@pytest.mark.usefixtures("paced")
def test_a_plan_that_looks_first_says_so(running, model, buffered, stream):
    """In a header, and where it is asked how a request would be decided."""
    assert buffered == ask(running, model, stream=stream).headers.get("x-pointsman-buffered")
    assert (buffered == "true") is ask(running, model, path="route").json()["buffered"]


@pytest.mark.parametrize("model", ["quiet", "kept"])
def test_the_sdk_gets_a_proper_stream(sdk, running, paced, model):
    """Role, content, finish and usage, whether it was kept waiting or not."""
    paced.seconds["small"] = SLOW_S
    raw = sdk.chat.completions.with_raw_response.create(
        model=model, messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(raw.parse())
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]

    assert "I am small." == "".join(choice.delta.content or "" for choice in choices)
    assert ("stop", USAGE["total_tokens"]) == (choices[-1].finish_reason, chunks[-1].usage.total_tokens)
    outcome = logged(running, raw.headers)
    assert (200, None, "small", ()) == (outcome.status, outcome.error, outcome.served_by, outcome.calls)
    assert outcome.ttft_s > SLOW_S


@pytest.mark.parametrize("model", ["quiet", "kept"])
def test_the_sdk_gets_a_whole_answer(sdk, paced, model):
    """There is nothing to keep alive: its status is known when it has come."""
    paced.seconds["small"] = SLOW_S

    assert "I am small." == sdk.chat.completions.create(model=model, messages=ASK).choices[0].message.content


def test_comments_come_while_there_is_nothing_to_say(running, paced):
    """And none once the answer has begun."""
    paced.seconds["small"] = SLOW_S
    events = [event + b"\n\n" for event in ask(running, "kept").content.split(b"\n\n") if event]
    comments = [event for event in events if event == COMMENT]

    assert 1 <= len(comments) <= SLOW_S / BREATH_S + 1
    assert comments == events[: len(comments)]
    assert b"data: [DONE]\n\n" == events[-1]


@pytest.mark.parametrize("model", ["quiet", "plain", "small"])
def test_who_is_not_told_to_wait_gets_none(running, paced, model):
    """Without `keep_alive_s`, and where the first answer is relayed: an error shall keep its status."""
    paced.seconds["small"] = 3 * BREATH_S

    assert COMMENT not in ask(running, model).content


def test_a_head_that_was_sent_says_what_is_known(running, paced):
    """Not yet who answers, nor after how many attempts."""
    paced.seconds["small"] = SLOW_S
    headers = ask(running, "kept").headers

    assert ("kept", "true") == (headers["x-pointsman-policy"], headers["x-pointsman-buffered"])
    assert not {"x-pointsman-model", "x-pointsman-attempts", "x-pointsman-calls"} & headers.keys()


@pytest.mark.parametrize("model", ["early-quiet", "early-kept"])
def test_an_early_error_keeps_its_status(sdk, paced, model):
    """Nothing has been promised yet."""
    paced.statuses |= {"bad": 500, "worse": 503}
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.chat.completions.create(model=model, messages=ASK, stream=True)

    assert caught.value.status_code in {500, 503}


def test_a_late_error_is_an_event(sdk, running, paced):
    """The SDK raises on it; it is no success, neither to the client nor in the log."""
    paced.statuses |= {"ill": 500, "dead": 500}
    paced.seconds["ill"] = SLOW_S
    raw = sdk.chat.completions.with_raw_response.create(model="late", messages=ASK, stream=True)
    with pytest.raises(openai.APIError, match="out of order"):
        list(raw.parse())

    body = ask(running, "late").content
    assert b"[DONE]" not in body
    error = json.loads(body.split(b"\n\n")[-2].removeprefix(b"data: "))["error"]
    assert {"message", "type", "param", "code"} == error.keys()
    outcome = logged(running, raw.headers)
    assert (200, None) == (outcome.status, outcome.served_by)
    assert outcome.error


def test_the_last_call_of_a_plan_streams_through(running, paced):
    """What need not be looked at is relayed as it comes, also after comments."""
    paced.seconds |= {"small": SLOW_S}
    body = {"model": "climbing", "messages": ASK, "stream": True, "max_tokens": 40}
    with httpx2.stream("POST", f"{running.url}/v1/chat/completions", json=body, timeout=30) as response:
        events = list(response.iter_raw())
    outcome = logged(running, response.headers)

    assert COMMENT == events[0][: len(COMMENT)]
    assert b"data: [DONE]" in events[-1]
    assert "relayed" == outcome.plan_end
    assert ["small", "judge"] == [call.model for call in outcome.calls][:2]


def test_a_client_that_leaves_is_missed(running, paced):
    """What it was waiting for is given up."""
    paced.seconds["small"] = SILENT_S
    already = {one.decision.id for one in running.logged()}
    body = {"model": "kept", "messages": ASK, "stream": True}
    with httpx2.stream("POST", f"{running.url}/v1/chat/completions", json=body, timeout=30) as response:
        assert COMMENT in next(response.iter_raw())

    assert paced.seen_leaving("small")
    deadline = time.monotonic() + PATIENCE_S
    while not (ended := [one for one in running.logged() if one.outcome and one.decision.id not in already]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (499, "client_left") == (ended[0].outcome.status, ended[0].outcome.error)
