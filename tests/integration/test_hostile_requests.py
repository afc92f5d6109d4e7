"""Requests that are too much, or want to be something else: refused clearly, and nothing that they hold gets out."""

from __future__ import annotations

import json
import re
import socket
import time
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.strict_json import MAX_DEPTH
from tests.processes import started
from tests.upstream import completion
from tests.wire import head, playing, whole

HELLO = [{"role": "user", "content": "hi"}]
BODY = json.dumps({"model": "m", "messages": HELLO}).encode()
CHUNKED_HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n"
#: A request to whose end trailers can be added.
CHUNKED = CHUNKED_HEAD + b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
#: An endpoint whose own words want to be lines of a log, and headers.
FORGED = "it crashed\r\nx-injected: 1\r\n\r\n2026-01-01T00:00:00.000+00:00 INFO forged.event a=b\x1b[2J\u2028\u0085"
FORGING = whole(json.dumps({"error": {"message": FORGED, "code": FORGED, "type": FORGED}}).encode(), status="500 No")
RELAYED = [
    head("application/json", "openai-version: 2\tx", "x-ratelimit-limit-requests: 5", "x-ratelimit-reset: \u00e9")
    + json.dumps(completion("m")).encode()
]


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """Serve in a process of its own, as users do."""
    folder = tmp_path_factory.mktemp("requests")
    scripts = {"m": whole(json.dumps(completion("m")).encode()), "forging": FORGING, "relayed": RELAYED}
    with playing(scripts) as upstream:
        config = {
            "server": {
                "body_timeout_s": 1.0,
                "max_header_bytes": 16_384,
                "max_headers": 60,
                "max_body_bytes": 2_000_000,
            },
            "providers": {"up": {"vendor": "openai-compatible", "base_url": upstream.url, "api_key": "k"}},
            "models": {name: {"provider": "up"} for name in scripts},
            "store": {"type": "memory"},
        }
        (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
        with started(folder / "gateway.yaml") as process:
            yield process


@pytest.fixture(scope="module")
def client(process):
    with httpx2.Client(base_url=process.url, timeout=20) as client:
        yield client


def talk(process, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send bytes; return all that comes back until the gateway hangs up."""
    where = urlsplit(process.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause_s)
            return b"".join(iter(lambda: connection.recv(65_536), b""))
        except ConnectionError:
            return b"reset"


def get(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET /v1/models HTTP/1.1", b"host: g", b"connection: close", *lines, b"", b""])


@pytest.mark.parametrize(
    "sent",
    [
        get(*(b"x-%d: 1" % n for n in range(61))),
        get(b"x-large: " + b"a" * 17_000),
        get(*(b"x-%d: " % n + b"a" * 1000 for n in range(20))),
        b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nhost: g\r\n\r\n",
    ],
)
def test_heads_that_are_too_large_get_a_431(process, sent):
    """By their number or by their bytes, of the target or of the headers."""
    told = talk(process, sent)

    assert told.startswith(b"HTTP/1.1 431 ")
    assert b'"headers_too_large"' in told


def test_heads_within_the_limits_are_served(process):
    """Fifty headers are none too many."""
    assert talk(process, get(*(b"x-%d: " % n + b"a" * 200 for n in range(50)))).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("beginning", [b"GET /v1/models HTTP/1.1\r\nx-endless: ", b"GET /", b"GET / HTTP/1.1\r\nx"])
def test_a_header_that_never_ends_is_not_kept(process, beginning):
    """No memory is filled by a line that does not end."""
    told = talk(process, beginning, *(b"a" * 65_536 for _ in range(20)), pause_s=0.001)

    assert told == b"reset" or re.match(rb"HTTP/1.1 4(31|00) ", told)


@pytest.mark.parametrize("sent", [b"", b"GET /v1/models HT", b"GET /v1/models HTTP/1.1\r\nhost: g\r\nx-slow: "])
def test_a_head_that_does_not_come_is_not_awaited_for_ever(process, sent):
    """A connection that says nothing, or stops in the middle, is closed after a while."""
    began = time.monotonic()

    assert b"" == talk(process, sent)
    assert 0.5 < time.monotonic() - began < 5


def test_trailers_are_no_headers(process):
    """What comes behind the body says neither who asks nor how its answer is to be called."""
    told = talk(process, CHUNKED + b"x-request-id: behind\r\nauthorization: Bearer x\r\n\r\n" + get())

    assert 2 == told.count(b"HTTP/1.1 200 ")
    assert b"x-request-id: behind" not in told


@pytest.mark.parametrize("line", [b"x-a: b\r\n" * 1000, b"x-endless: " + b"a" * 8000, b"1;" + b"a" * 8000])
def test_trailers_that_never_end_are_hung_up_on(process, line):
    """No memory is filled by them, nor by what is said of the length of a chunk."""
    where = urlsplit(process.url)
    beginning = CHUNKED[: -len(b"0\r\n")] if line.startswith(b"1;") else CHUNKED
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(beginning + line)
        with pytest.raises(ConnectionError):  # noqa: PT012 - whichever piece it is that finds nobody
            for _ in range(100):
                time.sleep(0.005)
                connection.sendall(line if line.startswith(b"x-a") else b"a" * 8000)


def test_a_body_may_come_in_many_small_chunks_with_some_trailers(process):
    """What frames them is counted from the last part of the body on."""
    pieces = [b"1\r\n%c\r\n" % byte for byte in b" " * 5000 + BODY]
    many = CHUNKED_HEAD + b"".join(pieces) + b"0\r\n" + b"x-a: b\r\n" * 1000 + b"\r\n" + get()

    told = talk(process, *(many[at : at + 4000] for at in range(0, len(many), 4000)), pause_s=0.002)

    assert 2 == told.count(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_body_that_nobody_waits_for_holds_no_connection(process, pieces):
    """A request that is answered before its body has come is read to its end, but not for ever."""
    began = time.monotonic()
    told = talk(
        process, b"GET /v1/nothing HTTP/1.1\r\nhost: g\r\ncontent-length: 1000\r\n\r\n", *[b"x"] * pieces, pause_s=0.4
    )

    assert told.startswith(b"HTTP/1.1 404 ")
    assert 0.5 + 0.4 * pieces < time.monotonic() - began < 5


def test_what_comes_between_two_requests_holds_no_connection(process):
    """Nor a line that is empty and begins no request."""
    answered = get().replace(b"connection: close\r\n", b"")

    assert talk(process, answered, b"\r\n", b"\r\n", pause_s=0.2).startswith(b"HTTP/1.1 200 ")


def test_heads_are_counted_one_by_one(process):
    """On a connection that is used again, each request has the whole limit, and bodies count for nothing."""
    line = b"x-large: " + b"a" * 9_000
    first = b"\r\n".join(
        [b"POST /v1/chat/completions HTTP/1.1", b"host: g", line, b"content-length: %d" % len(BODY), b"", BODY]
    )

    assert 4 == talk(process, first * 3 + get(line)).count(b"HTTP/1.1 200 ")


def test_what_is_no_http_is_told_in_openais_form(process):
    """Also to clients that speak something else."""
    told = talk(process, b"HELO gateway\r\n\r\n")

    assert told.startswith(b"HTTP/1.1 400 ")
    assert "invalid_http" == json.loads(told.partition(b"\r\n\r\n")[2])["error"]["code"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/route"])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_json_has_a_depth(client, brackets, path):
    """Up to the limit it is taken, beyond it is a 400 that says so, however far beyond."""
    opening, closing = ('{"a":', "}") if brackets == "{}" else ("[", "]")

    def ask(depth: int) -> httpx2.Response:
        nested = opening * (depth - 1) + ("1" if brackets == "{}" else "") + closing * (depth - 1)
        content = BODY[:-1].decode() + f', "x": {nested}}}'
        return client.post(path, content=content, headers={"content-type": "application/json"})

    assert 200 == ask(MAX_DEPTH).status_code
    for depth in (MAX_DEPTH + 1, 900, 100_000):
        answer = ask(depth)
        assert (400, "invalid_json") == (answer.status_code, answer.json()["error"]["code"])
        assert "nested too deeply" in answer.json()["error"]["message"]


def test_a_body_that_is_too_large_gets_a_413(client):
    """Its sender gets to read it."""
    answer = client.post("/v1/chat/completions", content=BODY + b" " * 3_000_000)

    assert (413, "request_too_large") == (answer.status_code, answer.json()["error"]["code"])


@pytest.mark.parametrize("repeated", [b'"k0": 1', b'"k29999": 1'])
def test_a_name_that_stands_twice_among_many_is_found_at_once(client, repeated):
    """Thirty thousand names are looked through once, not once each."""
    names = b", ".join(b'"k%d": 0' % n for n in range(30_000))
    began = time.monotonic()
    answer = client.post("/v1/chat/completions", content=BODY[:-1] + b', "x": {' + names + b", " + repeated + b"}}")

    assert (400, True) == (answer.status_code, "stands twice" in answer.json()["error"]["message"])
    assert time.monotonic() - began < 2


def test_an_endpoints_words_become_neither_headers_nor_lines(client, process):
    """They are told to the client as JSON, and stay in their line of the log."""
    before = len(process.said.splitlines())
    answer = client.post("/v1/chat/completions", json={"model": "forging", "messages": HELLO})

    assert FORGED == answer.json()["error"]["message"]
    assert "x-injected" not in answer.headers
    lines = process.said.splitlines()[before:]
    assert lines
    assert all(re.match(r"\d{4}-\d\d-\d\dT\S+ (WARNING|ERROR|INFO) [a-z.]+( |$)", line) for line in lines)
    assert not any(line.startswith("2026-01-01") or "\x1b" in line for line in lines)


def test_headers_that_are_relayed_are_whole(client):
    """A tab is fine in a value; what is not ASCII stays here."""
    answer = client.post("/v1/chat/completions", json={"model": "relayed", "messages": HELLO})

    assert ("5", "2\tx") == (answer.headers["x-ratelimit-limit-requests"], answer.headers["openai-version"])
    assert "x-ratelimit-reset" not in answer.headers
    assert [] == [name for name in answer.headers if not name.isascii()]


TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["\r\nx-injected: 1", "a\nb", "\x00", "\ud800", "\x85"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=TEXT, identity=TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")), policy=TEXT)
def test_nothing_that_a_client_writes_becomes_a_header_or_a_line(client, process, model, identity, policy):
    """Names of models and policies, ids of requests: whatever is in them."""
    before = len(process.said)
    header = re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", identity).strip()
    body = json.dumps({"model": model, "messages": HELLO, "metadata": {"tag": policy}, "user": policy})
    answer = client.post(
        "/v1/chat/completions", content=body, headers={"x-request-id": header, "x-pointsman-policy": header}
    )

    assert answer.status_code in (200, 400, 404)
    assert "x-injected" not in answer.headers
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", answer.headers["x-request-id"])
    assert all(value.isascii() and value.isprintable() for value in answer.headers.values())
    said = process.said[before:]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\S+ [A-Z]+ [a-z.]+", line) for line in said.split("\n") if line)
