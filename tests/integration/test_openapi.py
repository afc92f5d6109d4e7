from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest

from tests.conftest import write_config
from tests.processes import ROOT, logged, started

if TYPE_CHECKING:
    from pathlib import Path

AUTO = {
    "auto": {
        "pool": ["good", "other"],
        "router": {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0.1}},
    }
}
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}
KEYS = {"api_keys": ["right"], "max_body_bytes": 100_000}
PAGE = {"content-type": "text/plain", "origin": "http://page.example"}
RIGHT = {"authorization": "Bearer right"}
ID = str(uuid4())
INVALID = "invalid_request_error"


def fuzz(url: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis on what the gateway says of itself, with every check that there is."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--checks", "all"]
    bounds = ["--seed", "1", "--no-color", "--no-shrink", "--request-timeout", "10"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.integration.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, *bounds, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ([], ["--phases", "coverage,fuzzing", "--max-examples", "12"]),
        (
            ["right"],
            ["--phases", "coverage,stateful", "--max-examples", "3", "--header", "Authorization: Bearer right"],
        ),
        (["right"], ["--phases", "fuzzing", "--max-examples", "3"]),
    ],
    ids=["open", "right-key", "no-key"],
)
def test_fuzzing_finds_nothing(tmp_path, upstream, keys, options):
    """Hundreds of bodies, good and bad, over real HTTP: each answer is one that the document promises."""
    path = write_config(tmp_path, upstream.url, AUTO, **({"server": {"api_keys": keys}} if keys else {}))
    with started(path) as process:
        fuzzing = fuzz(process.url, tmp_path, *options)
        process.popen.terminate()
        assert 0 == process.ended()

    assert 0 == fuzzing.returncode, fuzzing.stdout
    assert "Traceback" not in process.said
    log = logged(tmp_path)
    assert [(200, None)] * len(log) == [(one.outcome.status, one.outcome.error) for one in log]


def test_the_document_lists_every_path(serve):
    """No more and no less than what is answered; each path answers by another reason than being unknown."""
    running = serve(AUTO)
    paths = httpx2.get(f"{running.url}/openapi.json").json()["paths"]

    assert {
        "/healthz": {"get"},
        "/readyz": {"get"},
        "/metrics": {"get"},
        "/v1/chat/completions": {"post"},
        "/v1/route": {"post"},
        "/v1/models": {"get"},
        "/v1/models/{model}": {"get"},
        "/v1/feedback": {"post", "delete"},
        "/v1/feedback/{feedback_id}": {"get", "delete"},
    } == {path: set(methods) for path, methods in paths.items()}
    for path, methods in paths.items():
        for method in methods:
            answer = httpx2.request(method, running.url + path.replace("{model}", "good"))
            assert answer.status_code == 200 or answer.json()["error"]["code"] not in ("unknown_url", None)


@pytest.mark.parametrize(
    ("asked", "body", "headers", "told"),
    [
        ("POST /v1/chat/completions", b"{", RIGHT, (400, INVALID, "invalid_json")),
        ("POST /v1/feedback", b"{", RIGHT, (400, INVALID, "invalid_json")),
        ("POST /v1/feedback", b"\xff", RIGHT, (400, INVALID, "invalid_json")),
        ("POST /v1/feedback", b'{"score": 0, "score": 1}', RIGHT, (400, INVALID, "invalid_json")),
        ("POST /v1/feedback", b'[{"score": 0, "score": 1}]', RIGHT, (400, INVALID, "invalid_json")),
        ("POST /v1/feedback", b'{"score": NaN}', RIGHT, (400, INVALID, "invalid_json")),
        ("POST /v1/feedback", b"{}", RIGHT, (400, INVALID, "invalid_value")),
        ("POST /v1/feedback", b"{", {**RIGHT, **PAGE}, (400, INVALID, "invalid_value")),
        ("POST /v1/chat/completions", b"{}", {}, (401, "authentication_error", "invalid_api_key")),
        ("POST /v1/feedback", b"{", {}, (401, "authentication_error", "invalid_api_key")),
        ("GET /v1/models", b"", {"authorization": "Basic cmlnaHQ6"}, (401, "authentication_error", "invalid_api_key")),
        ("GET /v1/nothing", b"", RIGHT, (404, INVALID, "unknown_url")),
        ("POST /v1/route/", b"{}", RIGHT, (404, INVALID, "unknown_url")),
        ("POST /v1/feedback/", b"{}", {}, (404, INVALID, "unknown_url")),
        ("GET /v1/models/nothing", b"", RIGHT, (404, INVALID, "model_not_found")),
        ("POST /v1/route", b'{"model": "nothing", "messages": [{}]}', RIGHT, (404, INVALID, "model_not_found")),
        ("DELETE /v1/models/good", b"", RIGHT, (405, INVALID, "method_not_allowed")),
        ("POST /v1/chat/completions", b" " * 100_001, RIGHT, (413, INVALID, "request_too_large")),
        ("POST /v1/route", b" " * 100_001, RIGHT, (413, INVALID, "request_too_large")),
        ("POST /v1/feedback", b" " * 100_001, RIGHT, (413, INVALID, "request_too_large")),
        (
            "POST /v1/chat/completions",
            b'{"model": "status-503", "messages": [{}]}',
            RIGHT,
            (503, "upstream_type", "upstream_code"),
        ),
    ],
)
def test_errors_have_openais_shape(serve, asked, body, headers, told):
    """Whatever refuses a request: `message`, `type`, `param` and `code`, and the request's id."""
    method, _, path = asked.partition(" ")
    sent = {"content-type": "application/json", **headers}
    answer = httpx2.request(method, serve(AUTO, server=KEYS).url + path, content=body, headers=sent)

    error = answer.json()["error"]
    assert told == (answer.status_code, error["type"], error["code"])
    assert {"message", "type", "param", "code"} == set(error)
    assert error["message"]
    assert isinstance(error["param"], str | None)
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_conflict_has_openais_shape(serve):
    """409: the idempotency key was used for something else."""
    url = f"{serve(AUTO).url}/v1/feedback"
    first, second = (
        httpx2.post(url, json={"decision_id": ID, "score": score}, headers={"idempotency-key": "k"}) for score in (0, 1)
    )

    assert (202, 409) == (first.status_code, second.status_code)
    assert ("conflict_error", "idempotency_conflict") == (
        second.json()["error"]["type"],
        second.json()["error"]["code"],
    )


def test_a_log_that_fails_has_openais_shape(serve):
    """503: feedback that could not be stored may be sent again."""
    running = serve(AUTO)
    asyncio.run(running.gateway.recorder.aclose())

    answer = httpx2.post(f"{running.url}/v1/feedback", json={"decision_id": ID, "score": 1})

    error = answer.json()["error"]
    assert (503, "server_error", "store_unavailable") == (answer.status_code, error["type"], error["code"])


def test_the_fault_of_several_kinds_is_told_without_jargon(serve):
    """The validator's own words stay inside; JSON that cannot be read has no field."""
    url = f"{serve(AUTO).url}/v1/feedback"
    both = httpx2.post(url, json={"decision_id": ID, "score": 1, "thumb": "up"}).json()["error"]
    broken = httpx2.post(url, content=b'{"decision_id": ').json()["error"]

    assert both["message"].startswith("exactly one of score, thumb, binary, preference")
    assert broken["param"] is None


def test_feedback_needs_no_content_type(serve):
    """What `curl -d` sends is read, as with chat."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = httpx2.post(
        f"{serve(AUTO).url}/v1/feedback", content=f'{{"decision_id": "{ID}", "score": 1}}', headers=headers
    )

    assert 202 == answer.status_code
