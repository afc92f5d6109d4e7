"""Endpoints that misbehave, seen through OpenAI's own library: whole answers come whole, everything else raises."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import httpx2
import openai
import pytest
import yaml

from gateway.app import create_app
from gateway.application import Gateway
from tests.upstream import chunk, completion, running
from tests.wire import FOREVER, RESET, chunked, head, playing, whole

HELLO = [{"role": "user", "content": "hi"}]
ROLE, HEL, LO = (
    chunk("m", {"role": "assistant", "content": ""}),
    chunk("m", {"content": "Hel"}),
    chunk("m", {"content": "lo"}),
)
STOP = chunk("m", {}, "stop")
DONE = b"data: [DONE]\n\n"
SNOW = chunk("m", {"content": "\u2603"}).replace(b"\\u2603", "\u2603".encode())
# With a pause, so that the client has the beginning before it breaks.
START = [head(), ROLE, HEL, 0.06]
FINE = [head(), ROLE, HEL, LO, STOP, DONE]


def event(body: Any) -> bytes:
    return b"data: " + (body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n\n"


def choice(**members: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": "lo"}, **members}]})


def error(**members: Any) -> dict[str, Any]:
    return {"error": {"message": "it crashed", "type": "server_error", "code": None, **members}}


#: Streams that the client gets as "Hello".
GOOD = {
    "fine": FINE,
    "no-done": FINE[:-1],
    "done-unfinished": [*FINE[:-1], DONE[:-2]],
    "finish-unfinished": [head(), HEL, chunk("m", {"content": "lo"}, "stop")[:-2]],
    "after-done": [*FINE, chunk("m", {"content": " and more"}), b"data: {broken\n\n"],
    "two-finishes": [head(), HEL, LO, STOP, STOP, DONE],
    "comments": [head(), b": ping\n\n", ROLE, b":\n\n", HEL, b": ping\n\n", LO, STOP, DONE],
    "empty-data": [head(), ROLE, b"data:\n\n", HEL, b"data: \n\n", LO, STOP, DONE],
    "blank-lines": [head(), b"\n\n\n", HEL, b"\n\n", LO, STOP, b"\n\n\n\n", DONE],
    "byte-order-mark": [head(), b"\xef\xbb\xbf" + HEL, LO, STOP, DONE],
    "named-events": [head(), b"event: message\nid: 1\nretry: 5\n" + HEL, LO, STOP, DONE],
    "early-hints": [b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", *FINE],
    "text-plain": [head("text/plain"), *FINE[1:]],
    "octets": [head("application/octet-stream"), *FINE[1:]],
    "chunked": chunked(ROLE, HEL, LO, STOP, DONE),
    "no-index": [head(), event({"choices": [{"delta": {"content": "Hello"}, "finish_reason": "stop"}]}), DONE],
    "no-delta": [head(), HEL, LO, event({"choices": [{"index": 0, "content_filter_results": {}}]}), STOP, DONE],
    "gzip": [head("text/event-stream", "content-encoding: gzip"), gzip.compress(b"".join(FINE[1:]))],
    "unasked-headers": [head("text/event-stream", "set-cookie: a=b", "x-secret: s", "x-pointsman-model: m"), *FINE[1:]],
}
#: What comes after "Hel", and is never the end of a whole answer.
BROKEN = {
    "cut": [],
    "done-without-finish": [LO, DONE],
    "cut-event": [LO[:40]],
    "cut-character": [SNOW[: SNOW.index("\u2603".encode()) + 2]],
    "cut-after-finish": [LO, STOP, LO[:40]],
    "bad-character": [SNOW.replace("\u2603".encode(), b"\xe2\x98"), STOP, DONE],
    "not-json": [b"data: text\n\n", STOP, DONE],
    "half-json": [LO[: len(LO) // 2] + b"\n\n", STOP, DONE],
    "brace-closed": [b'data: {"choices": [{"index": 0, "delta": {"content": "lo}}]}\n\n', STOP, DONE],
    "two-documents": [event(LO[6:-2] * 2), STOP, DONE],
    "trailing-garbage": [event(LO[6:-2] + b"}"), STOP, DONE],
    "not-a-number": [event(LO[6:-2].replace(b'"logprobs": null', b'"logprobs": NaN')), STOP, DONE],
    "list": [event([1]), STOP, DONE],
    "null": [event(b"null"), STOP, DONE],
    "no-choices": [event({"text": "lo"}), STOP, DONE],
    "choices-text": [event({"choices": "lo"}), STOP, DONE],
    "choices-object": [event({"choices": {"index": 0}}), STOP, DONE],
    "choice-text": [event({"choices": ["lo"]}), STOP, DONE],
    "choice-null": [event({"choices": [None]}), STOP, DONE],
    "delta-null": [choice(delta=None), STOP, DONE],
    "delta-text": [choice(delta="lo"), STOP, DONE],
    "delta-list": [choice(delta=["lo"]), STOP, DONE],
    "content-number": [choice(delta={"content": 1}), STOP, DONE],
    "content-object": [choice(delta={"content": {"text": "lo"}}), STOP, DONE],
    "index-text": [choice(index="0"), STOP, DONE],
    "finish-number": [choice(finish_reason=1), DONE],
    "finish-error": [choice(finish_reason="error"), DONE],
    "calls-text": [choice(delta={"tool_calls": "f()"}), STOP, DONE],
    "call-text": [choice(delta={"tool_calls": ["f()"]}), STOP, DONE],
    "arguments-object": [choice(delta={"tool_calls": [{"index": 0, "function": {"arguments": {}}}]}), STOP, DONE],
    "deep": [event(b'{"choices": [], "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"), STOP, DONE],
    "field-name": [b"dat: " + LO[6:], STOP, DONE],
    "no-field": [LO[6:], STOP, DONE],
    "error-openai": [event(error()), STOP, DONE],
    "error-vllm": [event({"object": "error", "message": "it crashed", "type": "BadRequest", "code": 400}), DONE],
    "error-llama": [b'error: {"code": 500, "message": "it crashed", "type": "server_error"}\n\n'],
    "error-openrouter": [
        event({**error(code=502), "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}),
        DONE,
    ],
    "error-azure": [event(error(code="429")), DONE],
    "error-anthropic": [
        b"event: error\n" + event({"type": "error", "error": {"type": "overloaded_error", "message": "it crashed"}})
    ],
    "error-text": [event({"error": "it crashed"}), DONE],
    "error-detail": [event({"detail": "it crashed"}), DONE],
    "reset": [0.05, RESET],
    "stall": [5.0, LO, STOP, DONE],
    "drip": [b"d", 0.05, FOREVER],
    "drip-comments": [b": ping\n\n", 0.05, FOREVER],
    "endless": [LO * 100, 0.0, FOREVER],
    "huge": [b"data: " + b"x" * 3_000_000],
}
#: Streams that end, or fail, before they have said anything.
NOTHING = {
    "empty": [head()],
    "only-done": [head(), DONE],
    "only-comments": [head(), b": ping\n\n" * 3],
    "only-role": [head(), ROLE],
    "first-broken": [head(), b"data: {broken\n\n", HEL, LO, STOP, DONE],
    "early-reset": [head(), 0.05, RESET],
    "no-answer": [RESET],
    "no-http": [b"SSH-2.0-OpenSSH_9.6\r\n"],
    "bad-chunks": [head("text/event-stream", "transfer-encoding: chunked"), b"ZZ\r\nHello\r\n"],
    "bad-gzip": [head("text/event-stream", "content-encoding: gzip"), b"".join(FINE[1:])],
    "html": whole(b"<html>log in</html>", "text/html"),
    "large-head": [b"HTTP/1.1 200 OK\r\nx-large: " + b"a" * 5_000_000],
    "redirect": whole(b"", status="302 Found\r\nlocation: /v1/other"),
    "moved": whole(b"", status="308 Permanent Redirect\r\nlocation: http://127.0.0.1:9/"),
    "accepted": whole(b"{}", status="202 Accepted"),
    "silence": [head(), 5.0],
}
#: Whole answers that are none.
USELESS = {
    "cut-whole": [head("application/json", "content-length: 5000") + b'{"choices": ['],
    "chunk-cut": [head("application/json", "transfer-encoding: chunked"), b'ff\r\n{"choices": ['],
    "empty-whole": whole(b""),
    "text": whole(b"Hello"),
    "twice": whole(json.dumps(completion("m")).encode() * 2),
    "garbage-after": whole(json.dumps(completion("m")).encode() + b"x"),
    "nan": whole(json.dumps({**completion("m"), "x": float("nan")}).encode()),
    "latin": whole(json.dumps(completion("m", "\xe9"), ensure_ascii=False).encode("latin-1")),
    "utf16": whole(json.dumps(completion("m")).encode("utf-16")),
    "deep-whole": whole(b'{"choices": [{"message": {}}], "x": ' + b"[" * 500 + b"]" * 500 + b"}"),
    "choices-null": whole(b'{"choices": null}'),
    "choices-none": whole(b'{"choices": []}'),
    "message-null": whole(b'{"choices": [{"index": 0, "message": null}]}'),
    "content-list": whole(b'{"choices": [{"index": 0, "message": {"content": 7}}]}'),
    "failed": whole(b'{"choices": [{"index": 0, "message": {"content": "Hel"}, "finish_reason": "error"}]}'),
}
#: Errors that come with status 200: the status that the client is told.
IN_BAND = {
    "band-plain": (error(), 500),
    "band-rate": (error(code="rate_limit_exceeded"), 429),
    "band-number": (error(code=503), 503),
    "band-digits": (error(code="429"), 429),
    "band-type": (error(type="overloaded_error"), 529),
    "band-vllm": ({"object": "error", "message": "it crashed", "code": 400}, 400),
    "band-text": ({"error": "it crashed"}, 500),
    "band-beside": ({**completion("m"), **error(code=502)}, 502),
    "band-key": (error(code="invalid_api_key"), 401),
    "band-quota": (error(code="insufficient_quota"), 429),
    "band-long": (error(code="context_length_exceeded"), 400),
}
#: Statuses, the one that the client is told, and whether the same request may be sent there once more.
STATUSES = {
    **{status: (status, False) for status in (400, 401, 403, 404, 405, 410, 413, 415, 422, 451, 499)},
    **{
        status: (status, True) for status in (408, 409, 424, 425, 429, 500, 501, 502, 503, 504, 520, 522, 524, 529, 599)
    },
    402: (429, False),
}
#: Endpoints that repeat the gateway's key.
SECRET = (
    whole(json.dumps({"error": {"message": "Incorrect API key provided: upstream-secret."}}).encode(), status="401 No"),
    whole(json.dumps({"error": {"message": "upstream-secret has no access"}}).encode(), status="403 No"),
    whole(json.dumps(error(message="Bearer upstream-secret", code="invalid_api_key")).encode()),
    whole(b"<html>upstream-secret</html>", "text/html"),
    whole(b"", status="302 Found\r\nlocation: http://127.0.0.1:9/?key=upstream-secret"),
)
LIMITS = {"gap_s": 0.5, "ttft_s": 0.8, "timeout_s": 1.5, "repeats": 0, "max_stream_bytes": 2_000_000}


def scripts() -> dict[str, Any]:
    broken = {name: [*START, *steps] for name, steps in BROKEN.items()}
    in_band = {name: whole(json.dumps(body).encode()) for name, (body, _) in IN_BAND.items()}
    streamed = {
        f"{name}-streamed": [head(), event(body)] for name, (body, _) in IN_BAND.items() if name != "band-beside"
    }
    statuses = {f"status-{n}": whole(json.dumps(error()).encode(), status=f"{n} Odd") for n in STATUSES}
    quota = {"quota": whole(json.dumps(error(code="insufficient_quota")).encode(), status="429 Too Many Requests")}
    secret = {f"secret-{n}": script for n, script in enumerate(SECRET)}
    return secret | GOOD | broken | NOTHING | USELESS | in_band | streamed | statuses | quota


@pytest.fixture(scope="module")
def wire():
    with playing(scripts()) as played:
        yield played


@pytest.fixture(scope="module")
def gateway(wire, tmp_path_factory):
    """Serve a policy for each script; yield its address and its inside."""
    folder = tmp_path_factory.mktemp("hostile")
    names = [*scripts(), "backed"]
    for name in names:
        # `backed` has a fine one behind one that hangs up.
        pool = ["no-answer", "fine"] if name == "backed" else [name]
        policy = {
            "name": f"p-{name}",
            "pool": pool,
            "router": {"type": "fixed", "model": pool[0]},
            "fallback": pool[1:],
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**policy, "limits": LIMITS}))
    config = {
        "providers": {"up": {"vendor": "openai-compatible", "base_url": wire.url, "api_key": "upstream-secret"}},
        "models": {name: {"provider": "up", "price": {"input": 1, "output": 2}} for name in scripts()},
        "store": {"type": "memory"},
        "policies": [f"{name}.yaml" for name in names],
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
    inside = Gateway(folder / "gateway.yaml", {})
    with running(create_app(inside)) as url:
        yield url, inside


@pytest.fixture(scope="module")
def ask(gateway):
    """Return a function that asks for a stream, and returns its text; and the library's client."""
    url, _ = gateway
    with openai.OpenAI(base_url=f"{url}/v1", api_key="k", timeout=10, max_retries=0) as client:

        def ask(name: str, heard: list[str] | None = None) -> str:
            heard = [] if heard is None else heard
            for piece in client.chat.completions.create(model=f"p-{name}", messages=HELLO, stream=True):
                heard += [one.delta.content or "" for one in piece.choices if one.delta]
            return "".join(heard)

        ask.client = client
        yield ask


@pytest.fixture(scope="module")
def plain(gateway):
    """Return a client that reads what is on the wire."""
    with httpx2.Client(base_url=gateway[0], timeout=10) as client:
        yield client


def outcome(gateway, name: str) -> Any:
    """Return the one outcome that a policy's one request has."""
    _, inside = gateway
    while inside.recorder.pending:
        pass
    (entry,) = [one for one in inside.log.joined() if one.decision.policy == f"p-{name}"]
    return entry.outcome


@pytest.mark.parametrize("name", GOOD)
def test_what_is_only_odd_is_relayed(ask, gateway, name):
    """Some servers write so, and the answer is whole."""
    assert "Hello" == ask(name)
    assert (200, None) == (outcome(gateway, name).status, outcome(gateway, name).error)


def test_nothing_is_relayed_after_the_end(plain):
    """What follows `[DONE]` is no part of the answer, whoever reads it."""
    body = {"model": "after-done", "messages": HELLO, "stream": True}

    assert ROLE + HEL + LO + STOP + DONE == plain.post("/v1/chat/completions", json=body).content


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_raises(ask, gateway, name):
    """The library raises its own error, at once where there is nothing to wait for, and the log says that it failed."""
    heard: list[str] = []
    began = time.monotonic()
    with pytest.raises(openai.APIError):
        ask(name, heard)

    assert time.monotonic() - began < 10
    assert "Hel" == "".join(heard)[:3]
    ended = outcome(gateway, name)
    assert ended.error is not None
    assert (ended.cost_source, ended.cost_usd > 0) == ("estimated", True)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_never_ends_like_a_whole_one(plain, name):
    """Also who reads the events without the library is told: an error, and no `[DONE]`."""
    if name in ("stall", "drip", "drip-comments", "endless"):
        pytest.skip("long, and ends as the others do")
    body = {"model": name, "messages": HELLO, "stream": True}
    told = plain.post("/v1/chat/completions", json=body, timeout=10).content

    assert told.endswith(b"\n\n")
    assert b"[DONE]" not in told
    assert "error" in json.loads(told.strip().rpartition(b"\n\n")[2].removeprefix(b"data: "))


@pytest.mark.parametrize("name", NOTHING)
def test_a_stream_that_has_not_begun_fails_with_a_status(ask, gateway, name):
    """The client has had nothing: it gets an error that it can act on, and another candidate could have answered."""
    with pytest.raises(openai.InternalServerError) as caught:
        ask(name)

    assert caught.value.status_code in (502, 504)
    assert outcome(gateway, name).error is not None


def test_another_candidate_answers_instead(ask):
    """Before anything was said nothing is lost."""
    assert "Hello" == ask("backed")


@pytest.mark.parametrize("name", USELESS)
def test_a_whole_answer_that_is_none_fails(ask, name):
    """Status 200 does not make an answer."""
    with pytest.raises(openai.InternalServerError) as caught:
        ask.client.chat.completions.create(model=f"p-{name}", messages=HELLO)

    assert caught.value.status_code in (502, 504)


@pytest.mark.parametrize("name", [*IN_BAND, *(f"{name}-streamed" for name in IN_BAND if name != "band-beside")])
def test_an_error_in_band_is_the_error_that_it_says(ask, name):
    """As if it had come with its status."""
    _, status = IN_BAND[name.removesuffix("-streamed")]
    with pytest.raises(openai.APIStatusError) as caught:
        ask.client.chat.completions.create(model=f"p-{name}", messages=HELLO, stream=name.endswith("-streamed"))

    assert status == caught.value.status_code


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_reaches_the_client_and_says_whether_to_repeat(ask, wire, status):
    """What can pass may be repeated; what cannot is not, neither here nor by the library."""
    told, again = STATUSES[status]
    model = f"status-{status}"
    with pytest.raises(openai.APIStatusError) as caught:
        # Where it may be repeated, the library would wait first.
        ask.client.with_options(max_retries=0 if again else 2).chat.completions.create(
            model=f"p-{model}", messages=HELLO
        )

    assert told == caught.value.status_code
    assert again or wire.calls[model] == 1
    assert wire.calls[model] <= 4


def test_a_quota_that_is_used_up_is_not_asked_for_again(ask, wire):
    """429 for want of money is not 429 for want of patience."""
    with pytest.raises(openai.RateLimitError) as caught:
        ask.client.with_options(max_retries=2).chat.completions.create(model="p-quota", messages=HELLO)

    assert "insufficient_quota" == caught.value.code
    assert 1 == wire.calls["quota"]


def test_the_endpoints_key_is_told_to_nobody(plain):
    """Whatever goes wrong."""
    for n in range(len(SECRET)):
        body = {"model": f"secret-{n}", "messages": HELLO}
        told = plain.post("/v1/chat/completions", json=body)
        assert told.is_error
        assert "upstream-secret" not in told.text + str(told.headers)
