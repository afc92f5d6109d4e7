"""Streams as other servers send them: keep-alive comments, no end mark, several choices, long events, odd headers."""

from __future__ import annotations

import json
import time

import httpx2
import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from gateway.app import create_app
from gateway.application import Gateway
from providers.sse import EventSplitter
from tests.upstream import chunk, running

DONE = b"data: [DONE]\n\n"
HELLO, STOP = chunk("m", {"content": "Hello \U0001f600"}), chunk("m", {}, "stop")
COMMENT = b": OPENROUTER PROCESSING\n\n"
AZURE = (
    b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}\n\n'
)
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
ERROR = b'data: {"error": {"message": "overloaded", "code": 529}}\n\n'


def of_choice(index: int, finish: str | None = None) -> bytes:
    body = {"id": "1", "choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": finish}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def crlf(*events: bytes) -> bytes:
    return b"".join(events).replace(b"\n", b"\r\n")


#: What the endpoint sends, in pieces, by the name of its model.
STREAMS = {
    "fine": [HELLO, STOP, USAGE, DONE],
    "comments": [COMMENT, COMMENT, HELLO, b": more\n\n", STOP, DONE],
    "comments-then-error": [COMMENT, ERROR],
    "comments-then-nothing": [COMMENT],
    "azure": [AZURE, HELLO, STOP, DONE],
    "crlf": [crlf(HELLO, STOP, DONE)],
    "bytes": [bytes([byte]) for byte in HELLO + crlf(STOP) + DONE],
    "no-done": [HELLO, STOP],
    "done-unfinished": [HELLO, STOP, b"data: [DONE]"],
    "long": [b'data: {"choices": [], "x": "' + b"x" * 3_000_000 + b'"}\n\n', STOP, DONE],
    "two": [of_choice(0), of_choice(1), of_choice(0, "stop"), of_choice(1, "length")],
    "two-cut": [of_choice(0), of_choice(1), of_choice(0, "stop")],
}
HEADERS = {"openai-organization": "日本".encode(), "openai-version": b"2020-10-01"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """Serve a policy for each odd stream, with a fine one behind it; return its client."""

    async def chat(request):
        async def pieces():
            for piece in STREAMS[name]:
                yield piece

        name = (await request.json())["model"]
        response = StreamingResponse(pieces(), media_type="text/event-stream")
        response.raw_headers += [(key.encode(), value) for key, value in HEADERS.items()]
        return response

    folder = tmp_path_factory.mktemp("odd")
    with running(Starlette(routes=[Route("/chat/completions", chat, methods=["POST"])])) as url:
        names = [f"p-{name}" for name in STREAMS]
        for name, policy in zip(STREAMS, names, strict=True):
            router = {"type": "fixed", "model": name}
            fallback = [] if name == "fine" else ["fine"]
            pool = [name, *fallback]
            (folder / f"{policy}.yaml").write_text(
                yaml.safe_dump({"name": policy, "pool": pool, "router": router, "fallback": fallback})
            )
        config = {
            "providers": {"up": {"vendor": "openai-compatible", "base_url": url, "api_key": "k"}},
            "models": {name: {"provider": "up"} for name in STREAMS},
            "store": {"type": "memory"},
            "policies": [f"{policy}.yaml" for policy in names],
        }
        (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
        with (
            running(create_app(Gateway(folder / "gateway.yaml", {}))) as address,
            httpx2.Client(base_url=address) as client,
        ):
            yield client


def ask(client: httpx2.Client, name: str, **fields: object) -> httpx2.Response:
    body = {"model": f"p-{name}", "messages": [{"role": "user", "content": "hi"}], "stream": True, **fields}
    return client.post("/v1/chat/completions", json=body, timeout=20)


@pytest.mark.parametrize("name", ["comments", "azure", "crlf", "bytes", "long"])
def test_odd_streams_are_relayed_byte_for_byte(gateway, name):
    """Comments, first chunks without choices, CRLF, any cut and any length."""
    answer = ask(gateway, name)

    assert (200, name) == (answer.status_code, answer.headers["x-pointsman-model"])
    assert b"".join(STREAMS[name]) == answer.content


@pytest.mark.parametrize(("name", "calls"), [("comments-then-error", "2"), ("comments-then-nothing", "3")])
def test_comments_are_no_beginning_of_an_answer(gateway, name, calls):
    """They keep a connection alive; another candidate may still answer, and the same where nothing was said."""
    answer = ask(gateway, name)

    assert ("fine", calls) == (answer.headers["x-pointsman-model"], answer.headers["x-pointsman-attempts"])
    assert HELLO + STOP + DONE == answer.content


@pytest.mark.parametrize("name", ["no-done", "done-unfinished"])
def test_a_finished_stream_ends_as_openais_do(gateway, name):
    """Servers that hang up after the finish reason leave the client with `[DONE]` nevertheless."""
    assert HELLO + STOP + DONE == ask(gateway, name).content


def test_several_choices_are_complete_when_all_have_finished(gateway):
    """A stream that is cut while one of its choices is unfinished is broken."""
    assert ask(gateway, "two", n=2).content.endswith(of_choice(1, "length") + DONE)
    assert "broke the stream off" in ask(gateway, "two-cut", n=2).text


def test_headers_that_cannot_be_sent_on_are_left_out(gateway):
    """An upstream's header outside ASCII is no reason to fail; its others come through."""
    answer = ask(gateway, "fine")

    assert 200 == answer.status_code
    assert "openai-organization" not in answer.headers
    assert "2020-10-01" == answer.headers["openai-version"]


@pytest.mark.parametrize("line", [b"", b"event: message\r\n"])
def test_a_long_event_takes_time_in_proportion(line):
    """Ten megabytes in network-sized pieces are searched once, not again with every piece."""
    event = line + b"data: " + b"x" * 10_000_000 + b"\r\n\r\n"
    splitter = EventSplitter()
    began = time.process_time()

    found = [one for at in range(0, len(event), 65_536) for one in splitter.feed(event[at : at + 65_536])]

    assert [event] == found
    assert time.process_time() - began < 0.5
