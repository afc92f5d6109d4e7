"""The real SDK against the gateway, in front of a real server that plays endpoints."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.upstream import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Running

TEXT = "".join(WORDS)
ASK = [{"role": "user", "content": "Say hello."}]
AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}


@pytest.fixture
def sdk(serve: Callable[..., Running]):
    """Return a client of a gateway that serves the policy `auto` over two models."""
    running = serve(AUTO)
    with OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client:
        client.running = running
        yield client


def test_chat(sdk):
    """An answer is the upstream's own; the decision is in the headers, and the log has one of each."""
    raw = sdk.chat.completions.with_raw_response.create(model="auto", messages=ASK)

    assert TEXT == raw.parse().choices[0].message.content
    (logged,) = sdk.running.logged()
    assert str(logged.decision.id) == raw.headers["x-pointsman-decision-id"]
    assert logged.outcome.served_by == raw.headers["x-pointsman-model"]
    assert {"good": 0.5, "other": 0.5} == logged.decision.propensities
    assert (200, None, 12, 6, 4) == (
        logged.outcome.status,
        logged.outcome.error,
        logged.outcome.prompt_tokens,
        logged.outcome.completion_tokens,
        logged.outcome.cached_tokens,
    )
    assert "auto" == raw.headers["x-pointsman-policy"]
    assert raw.headers["x-request-id"] == logged.decision.request_id
    assert "x-secret" not in raw.headers
    assert "7" == raw.headers["openai-processing-ms"]


def test_stream(sdk):
    """A stream arrives event by event; the extra usage chunk is kept from a client that did not ask."""
    chunks = list(sdk.chat.completions.create(model="auto", messages=ASK, stream=True))

    assert TEXT == "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)
    (logged,) = sdk.running.logged()
    assert (200, "stop", 12, 6) == (
        logged.outcome.status,
        logged.outcome.finish_reason,
        logged.outcome.prompt_tokens,
        logged.outcome.completion_tokens,
    )


def test_a_stream_from_an_endpoint_that_answers_whole(sdk):
    """A client that waits for events gets events, with the usage it asked for, also where the endpoint has none."""
    stream = sdk.chat.completions.create(
        model="whole", messages=ASK, stream=True, stream_options={"include_usage": True}
    )

    first, last = stream
    assert (TEXT, "stop") == (first.choices[0].delta.content, first.choices[0].finish_reason)
    assert ([], 6) == (last.choices, last.usage.completion_tokens)
    assert "stop" == sdk.running.logged()[0].outcome.finish_reason


def test_stream_with_usage(sdk):
    """A client that asks for usage gets it in the last chunk."""
    stream = sdk.chat.completions.create(
        model="auto", messages=ASK, stream=True, stream_options={"include_usage": True}
    )

    *_, last = stream
    assert ([], 6) == (last.choices, last.usage.completion_tokens)


def test_streamed_and_whole_answers_cost_the_same(sdk):
    """The ledger does not depend on how an answer was delivered: (8 + 4 / 2) * 1 + 6 * 2 millionths of a dollar."""
    raw = sdk.chat.completions.with_raw_response.create(model="good", messages=ASK)
    list(sdk.chat.completions.create(model="good", messages=ASK, stream=True))

    whole, streamed = sdk.running.logged()
    assert Decimal("0.000022") == whole.outcome.cost_usd == streamed.outcome.cost_usd
    assert Decimal(raw.headers["x-pointsman-cost-usd"]) == whole.outcome.cost_usd


def test_an_unknown_price_is_unknown_and_not_zero(sdk):
    """Neither the header nor the log says zero."""
    raw = sdk.chat.completions.with_raw_response.create(model="unpriced", messages=ASK)

    assert "unknown" == raw.headers["x-pointsman-cost-usd"]
    assert sdk.running.logged()[0].outcome.cost_usd is None


def test_tools_make_the_round_trip(sdk, upstream):
    """Tool definitions reach the model, its call comes back, and the result can be sent on."""
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
    call = sdk.chat.completions.create(model="auto", messages=ASK, tools=tools).choices[0].message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    answer = sdk.chat.completions.create(
        model="auto", messages=[*ASK, {"role": "assistant", "tool_calls": [call.to_dict()]}, result]
    )

    assert ("weather", tools) == (call.function.name, upstream.requests[0]["tools"])
    assert "sunny" == upstream.requests[1]["messages"][-1]["content"]
    assert TEXT == answer.choices[0].message.content


class City(BaseModel):
    """What a structured answer is to hold."""

    name: str


def test_structured_outputs_images_and_unknown_fields_go_through_untouched(sdk, upstream):
    """What the gateway does not know, it forwards."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": City.model_json_schema()}}
    sdk.chat.completions.create(
        model="auto",
        messages=messages,
        response_format=schema,
        n=2,
        logprobs=True,
        top_logprobs=3,
        extra_body={"brand_new": {"deep": [1e-7]}},
    )

    (seen,) = upstream.requests
    assert (messages, schema, 2, True, 3, {"deep": [1e-7]}) == (
        seen["messages"],
        seen["response_format"],
        seen["n"],
        seen["logprobs"],
        seen["top_logprobs"],
        seen["brand_new"],
    )


def test_the_callers_key_stays_here(sdk, upstream):
    """The endpoint gets the gateway's key, never the caller's."""
    sdk.chat.completions.create(model="auto", messages=ASK)

    assert "Bearer upstream-secret" == upstream.headers[0]["authorization"]


def test_models(sdk):
    """Policies come first, then models; each can be retrieved, a policy also with its dial turned."""
    listed = [model.id for model in sdk.models.list()]

    assert "auto" == listed[0]
    assert {"good", "other"} <= set(listed[1:])
    assert "good" == sdk.models.retrieve("good").id
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("nothing")


def test_wrong_model(sdk):
    """An unknown model is a 404 with OpenAI's code; nothing is logged."""
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="gpt-9", messages=ASK)

    assert ("model_not_found", "model") == (caught.value.code, caught.value.param)
    assert [] == sdk.running.logged()


def test_wrong_key(serve):
    """Where keys are asked for, a wrong one is refused, and is not repeated."""
    running = serve(AUTO, server={"api_keys": ["right-1", "right-2"]})
    with OpenAI(base_url=f"{running.url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.chat.completions.create(model="auto", messages=ASK)
        right = client.with_options(api_key="right-2").chat.completions.create(model="auto", messages=ASK)

    assert ("invalid_api_key", False) == (caught.value.code, "wrong" in str(caught.value))
    assert TEXT == right.choices[0].message.content


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b"{}", "model"),
        (b'{"model": 1, "messages": []}', "model"),
        (b'{"model": "auto"}', "messages"),
        (b'{"model": "auto", "messages": []}', "messages"),
        (b'{"model": "auto", "messages": ["hi"]}', "messages[0]"),
        (b'{"model": "auto", "messages": [{}], "stream": "yes"}', "stream"),
        (b'{"model": "auto:2", "messages": [{}]}', "model"),
        (b'{"model": "auto:cheap", "messages": [{}]}', "model"),
    ],
)
def test_bad_bodies_are_the_clients_fault(sdk, body, param):
    """Malformed JSON, missing and mistyped fields: 400 in OpenAI's shape, naming the field."""
    response = sdk._client.post("/chat/completions", content=body)

    error = response.json()["error"]
    assert (400, "invalid_request_error", param) == (response.status_code, error["type"], error["param"])


def test_a_body_of_2_mb_goes_through(sdk, upstream):
    """Long prompts are no special case."""
    text = "word " * 400_000
    sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": text}])

    assert text == upstream.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_of_50_mb_is_a_clear_413(sdk, with_length):
    """The sender can read the answer, instead of losing the connection while it writes."""
    piece = b"x" * 1_000_000
    content = piece * 50 if with_length else (piece for _ in range(50))
    response = sdk._client.post("/chat/completions", content=content)

    assert (413, "request_too_large") == (response.status_code, response.json()["error"]["code"])


def test_a_client_that_hangs_up_is_recorded_and_frees_its_upstream(sdk, upstream):
    """Leaving in mid-stream cancels the upstream request; the outcome is 499."""
    stream = sdk.chat.completions.create(model="slow", messages=ASK, stream=True)
    next(iter(stream))
    stream.close()

    until(lambda: upstream.left == 1)
    until(lambda: sdk.running.logged()[0].outcome is not None)
    assert (499, "client_left") == (sdk.running.logged()[0].outcome.status, sdk.running.logged()[0].outcome.error)


def test_a_client_that_hangs_up_before_an_answer_is_recorded(sdk):
    """Also while nothing has been sent yet."""
    with pytest.raises(openai.APITimeoutError):
        sdk.with_options(timeout=0.3).chat.completions.create(model="slow", messages=ASK)

    until(lambda: sdk.running.logged()[0].outcome is not None)
    outcome = sdk.running.logged()[0].outcome
    assert (499, "client_left", ["cancelled"]) == (outcome.status, outcome.error, [a.error for a in outcome.attempts])


@pytest.mark.parametrize("model", ["breaks", "silent"])
def test_a_broken_stream_raises(serve, model):
    """A stream that is cut or falls silent ends in an error, never as if it were complete."""
    running = serve({"p": {"pool": [model], "router": {"type": "fixed", "model": model}, "limits": {"gap_s": 0.3}}})
    with OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(model="p", messages=ASK, stream=True)
        with pytest.raises(openai.APIError):
            list(stream)

    (logged,) = running.logged()
    assert {"breaks": "upstream_error", "silent": "timeout"}[model] == logged.outcome.error


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
def test_upstream_errors_keep_their_class(sdk, status, error):
    """When no candidate is left, the SDK raises what it would have raised without a gateway."""
    with pytest.raises(error) as caught:
        sdk.chat.completions.create(model=f"status-{status}", messages=ASK)

    assert status == caught.value.status_code
    assert {"message", "type", "param", "code"} == set(caught.value.body)
    assert "upstream-secret" not in json.dumps(caught.value.body)


def test_a_limited_upstreams_wish_to_wait_reaches_the_client(sdk):
    """The SDK reads `retry-after`."""
    with pytest.raises(openai.RateLimitError) as caught:
        sdk.chat.completions.create(model="status-429", messages=ASK)

    assert "2" == caught.value.response.headers["retry-after"]


def test_the_same_paths_without_v1(sdk):
    """Clients whose base URL lacks `/v1` are served as well."""
    bare = sdk.with_options(base_url=sdk.running.url)

    assert TEXT == bare.chat.completions.create(model="auto", messages=ASK).choices[0].message.content
    assert "auto" == bare.models.retrieve("auto").id


def until(condition: Callable[[], bool], limit_s: float = 5) -> None:
    """Wait for what happens in another thread."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
