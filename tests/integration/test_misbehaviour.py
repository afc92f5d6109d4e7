"""Clients that misbehave on the wire: none gets a 5xx of the gateway's own, none hangs, none goes unlogged."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx2
import pytest

from gateway.app import create_app
from gateway.application import Gateway
from gateway.config.models import ServerConfig
from gateway.connections import bounded
from tests.conftest import write_config
from tests.upstream import WORDS

AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}
BODY = b'{"model": "auto", "messages": [{"role": "user", "content": "hi"}]}'
STREAM = BODY[:-1] + b', "stream": true}'
CHAT = "/v1/chat/completions"
CLOSE = b"Connection: close\r\n"


def head(method: str, path: str, *lines: bytes, version: str = "HTTP/1.1") -> bytes:
    return f"{method} {path} {version}\r\nHost: gateway\r\n".encode() + b"".join(lines) + b"\r\n"


def post(body: bytes, *lines: bytes, path: str = CHAT, version: str = "HTTP/1.1") -> bytes:
    return head("POST", path, b"Content-Length: %d\r\n" % len(body), *lines, version=version) + body


def chunked(*pieces: bytes) -> bytes:
    return head("POST", CHAT, CLOSE, b"Transfer-Encoding: chunked\r\n") + b"".join(pieces)


@pytest.fixture(params=["its own server", "uvicorn"])
def talk(serve, caplog, request):
    """Return a function that sends raw bytes and returns all that comes back; nothing may have crashed at the end."""
    settings = {"body_timeout_s": 1.0, "max_header_bytes": 100_000}
    http = bounded(ServerConfig(**settings)) if request.param == "its own server" else "auto"
    running = serve(AUTO, http, server=settings)
    address = urlsplit(running.url)

    def talk(*pieces: bytes, pause_s: float = 0.0, hang_up: bool = False) -> bytes:
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause_s)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    talk.running = running
    yield talk
    assert httpx2.get(f"{running.url}/readyz").status_code == 200
    assert [] == [entry for entry in running.logged() if entry.outcome is None]
    assert [] == [record for record in caplog.records if record.getMessage() == "request.crashed"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (post(BODY, CLOSE), 200),
        (post(BODY, version="HTTP/1.0"), 200),
        (post(STREAM, version="HTTP/1.0"), 200),
        (post(BODY, CLOSE, b"Expect: 100-continue\r\n"), 100),
        (post(BODY, CLOSE, path=f"http://gateway{CHAT}"), 200),
        (chunked(b"%x\r\n" % len(BODY), BODY, b"\r\n0\r\n\r\n"), 200),
        (chunked(*[b"1\r\n%c\r\n" % byte for byte in BODY], b"0\r\n\r\n"), 200),
        (chunked(b"ZZZ\r\nfoo"), 400),
        (chunked(b'5\r\n{"mod\r\nQQ\r\n'), 400),
        (post(BODY, CLOSE, b"Transfer-Encoding: chunked\r\n"), 400),
        (post(BODY, CLOSE, b"Content-Length: 3\r\n"), 400),
        (head("POST", CHAT, b"Content-Length: -5\r\n"), 400),
        (head("POST", CHAT, b"Content-Length: 99999999999999999999999\r\n"), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (head("HEAD", "/v1/models", CLOSE), 405),
        (head("OPTIONS", CHAT, CLOSE), 405),
        (head("OPTIONS", "*", CLOSE), 404),
        (head("GET", "/v1/models/%ff%fe", CLOSE), 404),
        (head("GET", "/v1/models/%00", CLOSE), 404),
        (b"GET /v1/models/\xff\xfe HTTP/1.1\r\nHost: gateway\r\n\r\n", 400),
        (head("GET", "/v1/models", CLOSE, b"X-Large: " + b"a" * 65_536 + b"\r\n"), 200),
        (head("GET", "/v1/models", CLOSE, b"Authorization: Bearer \xff\r\n"), 200),
        (post(BODY, CLOSE, b"Traceparent: \xff\xfe\r\n", b"Tracestate: \xe9\r\n"), 200),
        (post(BODY, CLOSE, b"X-Request-Id: \xff\r\n"), 200),
        (post(b"\xef\xbb\xbf" + BODY, CLOSE), 400),
        (post(BODY.decode().encode("utf-16"), CLOSE), 400),
        (post(b'{"model": "auto", "messages": [{"a": ' + b"[" * 100_000, CLOSE), 400),
        (post(b'{"model": "auto", "messages": [{"content": "\\ud800"}]}', CLOSE), 200),
        (post(b'{"model": "\\ud800", "messages": [{}]}', CLOSE), 404),
        (post(b'{"decision_id": "\xff"}', CLOSE, path="/v1/feedback"), 400),
        (post(b"[" * 100_000, CLOSE, path="/v1/feedback"), 400),
    ],
)
def test_what_is_odd_is_answered(talk, sent, status):
    """Each has an answer, and at once."""
    began = time.monotonic()
    answer = talk(sent)

    assert f"HTTP/1.1 {status} ".encode() == answer[:13]
    assert time.monotonic() - began < 5


def test_pipelined_requests_are_answered_in_order(talk):
    """A whole answer, a stream, a refusal, and another answer, on one connection."""
    answer = talk(post(BODY) + post(STREAM) + post(b"{") + head("GET", "/v1/models", CLOSE))

    order = [
        answer.index(mark) for mark in (b'"chat.completion"', b"data: [DONE]", b"invalid_json", b'"object":"list"')
    ]
    assert sorted(order) == order
    assert 2 == len(talk.running.logged())


def test_answers_that_nobody_reads_for_a_while_are_all_sent(talk):
    """The next one waits until there is room for it again: each refusal repeats the name of a model, of 40 KB."""
    refused, many = BODY.replace(b"auto", b"m" * 40_000), 200
    address = urlsplit(talk.running.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        sender = threading.Thread(target=connection.sendall, args=(post(refused) * many + post(BODY, CLOSE),))
        sender.start()
        time.sleep(0.5)
        answers = b"".join(iter(lambda: connection.recv(65_536), b""))
        sender.join()

    assert many == answers.count(b"HTTP/1.1 404 ") == answers.count(b"m" * 40_000)
    assert 1 == answers.count(b"connection: close\r\n") == answers.count(b'"chat.completion"')
    assert answers.index(b"connection: close\r\n") > answers.rindex(b"m" * 40_000)


def test_a_body_that_stops_coming_is_given_up(talk):
    """A connection is not held for ever by somebody who says nothing more."""
    answer = talk(post(BODY, CLOSE)[:-10])

    assert b"408" in answer.splitlines()[0]
    assert b'"request_timeout"' in answer


def test_a_body_that_comes_drop_by_drop_is_awaited(talk):
    """Slow is not wrong."""
    sent = post(BODY, CLOSE)

    assert "".join(WORDS).encode() in talk(sent[:-20], *(bytes([byte]) for byte in sent[-20:]), pause_s=0.02)


@pytest.mark.parametrize("length", [len(BODY), 50_000_000_000])
def test_a_client_that_sends_less_than_it_said_is_let_go(talk, length):
    """Nothing was asked, so nothing is answered and nothing logged."""
    assert b"" == talk(head("POST", CHAT, b"Content-Length: %d\r\n" % length) + BODY[:-10], hang_up=True)
    assert [] == talk.running.logged()


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_a_client_that_resets_the_connection_is_logged(talk, body):
    """However rude the end: one decision, one outcome."""
    address = urlsplit(talk.running.url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.sendall(post(body.replace(b"auto", b"slow")))
    time.sleep(0.3)
    connection.close()

    deadline = time.monotonic() + 5
    while [499] != [entry.outcome and entry.outcome.status for entry in talk.running.logged()]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("talk", ["its own server"], indirect=True)
def test_a_client_that_leaves_with_a_request_behind_is_no_defect(talk, caplog):
    """Also the request that is being answered learns of it, not only the one that came last."""
    address = urlsplit(talk.running.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(post(BODY.replace(b"auto", b"slow")) * 2)
        time.sleep(0.3)

    deadline = time.monotonic() + 5
    while [499] != [entry.outcome and entry.outcome.status for entry in talk.running.logged()]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def test_a_defect_is_told_with_the_requests_id(tmp_path, upstream, caplog):
    """500 in OpenAI's shape; the id by which the trace is found is in its header."""
    app = create_app(Gateway(write_config(tmp_path, upstream.url, AUTO), {}))

    @app.get("/defect")
    async def defect() -> None:
        raise ZeroDivisionError

    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.get("/defect", headers={"x-request-id": "mine-1"})

    assert (500, "internal_error") == (answer.status_code, answer.json()["error"]["code"])
    assert "mine-1" == answer.headers["x-request-id"]
    assert ["mine-1"] == [r.request_id for r in caplog.records if r.getMessage() == "request.crashed" and r.exc_info]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/defect"])
async def test_an_answer_that_has_begun_is_not_followed_by_another(tmp_path, upstream, path):
    """A server that fails while it sends the head is not sent a second one."""
    app = create_app(Gateway(write_config(tmp_path, upstream.url, AUTO), {}))

    @app.get("/defect")
    async def defect() -> None:
        """Answer with null."""

    sent, asked = [], []

    async def receive():
        if asked:
            await asyncio.Event().wait()  # the client says no more, and stays
        asked.append(True)
        return {
            "type": "http.request",
            "body": json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi"}]}).encode(),
        }

    async def send(message):
        sent.append(message["type"])
        raise LookupError("the server fails")

    method = "GET" if path == "/defect" else "POST"
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "http_version": "1.1"}
    async with app.router.lifespan_context(app):
        with pytest.raises(LookupError):
            await app(scope, receive, send)

    assert ["http.response.start"] == sent


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_long_body_is_whole_however_it_comes(talk, pieces):
    """Its end is another message, and the model's name stands behind it: a piece that is lost would be missed."""
    said = [{"role": "user", "content": "word " * 120_000}, {"role": "user", "content": "and the end"}]
    raw = post(json.dumps({"messages": said, "model": "auto"}).encode(), CLOSE)
    size = len(raw) // pieces + 1

    answer = talk(*[raw[at : at + size] for at in range(0, len(raw), size)], pause_s=0.02)

    assert b"200" == answer.split()[1]
    assert 2.0 == talk.running.logged()[-1].decision.features["session.turn"]
