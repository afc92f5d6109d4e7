from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest
import yaml

from tests.conftest import write_config
from tests.processes import ROOT, command, logged, started, until
from tests.upstream import WORDS
from tests.wire import head, playing

AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}, "description": "Whoever comes"}}
ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}
TEXT = "".join(WORDS)


def ask(url: str, **fields: object) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/chat/completions", json={**ASK, **fields}, timeout=20)


def refused(path) -> subprocess.CompletedProcess[str]:
    """Start what cannot start, and wait for its end."""
    return subprocess.run(command(path), cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def slow(upstream):
    """Let the upstream's slow streams take about two seconds."""
    pause_s, upstream.pause_s = upstream.pause_s, 0.001
    yield upstream
    upstream.pause_s = pause_s


@pytest.mark.parametrize("keys", [None, ["right"]])
def test_what_it_says_when_ready_works(tmp_path, upstream, keys):
    """Address, policies and models are named; the line for the shell and the lines of Python are run as printed."""
    path = write_config(tmp_path, upstream.url, AUTO, **({"server": {"api_keys": keys}} if keys else {}))
    with started(path) as process:
        said = process.said.replace("YOUR_KEY", "right")
        curl = re.search(r"^  curl .*?(?=\n\n)", said, re.DOTALL | re.MULTILINE)[0]
        snippet = textwrap.dedent(re.search(r"^  from openai .*", said, re.DOTALL | re.MULTILINE)[0])
        by_curl = subprocess.run(["/bin/sh", "-c", curl], capture_output=True, text=True, timeout=30, check=True)
        by_python = subprocess.run(
            [sys.executable, "-c", snippet], capture_output=True, text=True, timeout=30, check=True
        )

    assert process.url in said
    assert "    auto  (Whoever comes)\n" in said
    assert "    good\n" in said
    assert TEXT in by_curl.stdout
    assert TEXT == by_python.stdout.strip()


async def test_sigterm_lets_open_streams_end(tmp_path, slow):
    """Streams under way come to their end, nobody new is let in, the status is 0, and the log is complete."""

    async def stream(client: openai.AsyncOpenAI, begun: asyncio.Semaphore) -> str:
        text = ""
        async for chunk in await client.chat.completions.create(**ASK | {"model": "slow"}, stream=True):
            if not text:
                begun.release()
            text += chunk.choices[0].delta.content or ""
        return text

    with started(write_config(tmp_path, slow.url, AUTO)) as process:
        begun = asyncio.Semaphore(0)
        async with openai.AsyncOpenAI(base_url=f"{process.url}/v1", api_key="none", max_retries=0) as client:
            streams = [asyncio.ensure_future(stream(client, begun)) for _ in range(8)]
            for _ in streams:
                await begun.acquire()
            process.popen.send_signal(signal.SIGTERM)
            texts = await asyncio.gather(*streams)
        status = process.ended()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{process.url}/healthz")

    assert [TEXT * 200] * 8 == texts
    assert 0 == status
    assert [(200, None)] * 8 == [(one.outcome.status, one.outcome.error) for one in logged(tmp_path)]
    assert "Traceback" not in process.said


def test_streams_that_outlast_the_drain_are_cut_and_logged(tmp_path, upstream):
    """Whoever takes longer than `drain_s` does not keep the process; the log does not blame the client."""
    path = write_config(tmp_path, upstream.url, AUTO, server={"drain_s": 1})
    with (
        started(path) as process,
        httpx2.stream(
            "POST", f"{process.url}/v1/chat/completions", json={**ASK, "model": "slow", "stream": True}
        ) as answer,
    ):
        events = answer.iter_lines()
        next(events)
        process.popen.send_signal(signal.SIGTERM)
        status = process.ended()

    assert 0 == status
    (one,) = logged(tmp_path)
    assert (200, "gateway_stopped") == (one.outcome.status, one.outcome.error)


def test_who_waits_when_the_drain_is_over_is_told(tmp_path):
    """503 before an answer has begun, an error event and a proper end within a stream; and no trace of it."""
    begun = head("text/event-stream") + b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'

    def ask_slowly(url: str, model: str) -> tuple[int, str]:
        answer = ask(url, model=model, stream=model == "streams")
        return answer.status_code, answer.text

    with playing({"waits": [30.0], "streams": [begun, 30.0]}) as wire, ThreadPoolExecutor() as threads:
        path = write_config(
            tmp_path, wire.url, {}, server={"drain_s": 1}, models={name: {"provider": "up"} for name in wire.scripts}
        )
        with started(path) as process:
            told = [threads.submit(ask_slowly, process.url, model) for model in wire.scripts]
            until(lambda: 2 == wire.calls.total())
            time.sleep(0.3)
            process.popen.send_signal(signal.SIGTERM)
            assert 0 == process.ended()
            (waited, error), (streamed, text) = (one.result() for one in told)

    assert (503, "gateway_stopped") == (waited, json.loads(error)["error"]["code"])
    first, last = text.strip().split("\n\n")
    assert (200, '"content"' in first) == (streamed, True)
    assert "gateway_stopped" == json.loads(last.removeprefix("data: "))["error"]["code"]
    assert {"gateway_stopped"} == {one.outcome.error for one in logged(tmp_path)}
    assert "Traceback" not in process.said


def test_a_second_start_goes_on_with_the_same_log(tmp_path, upstream):
    """What was decided before is still there, and stays first."""
    path = write_config(tmp_path, upstream.url, AUTO)
    for _ in range(2):
        with started(path) as process:
            ask(process.url)
            process.popen.send_signal(signal.SIGINT)
            assert 0 == process.ended()

    first, second = logged(tmp_path)
    assert (200, 200) == (first.outcome.status, second.outcome.status)
    assert first.decision.at < second.decision.at


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"models": {"m": {"provider": "nobody"}}}, r"gateway\.yaml:\d+: models\.m\.provider: no provider 'nobody'"),
        ({"sever": {}}, r"gateway\.yaml:\d+: sever: unknown option; did you mean 'server'\?"),
        ({"server": {"host": "0.0.0.0"}}, r"gateway\.yaml:\d+: server\.host: "),
        ({"redis": {"url": "http://x"}}, r"gateway\.yaml:\d+: redis\.url: is no address of Redis"),
        ({"cache": {"store": "redis"}}, r"gateway\.yaml:\d+: cache\.store: 'redis' needs the section redis"),
        ({"keys": {"store": "redis"}}, r"gateway\.yaml:\d+: keys\.store: 'redis' needs the section redis"),
        ({"models": {"m": {}}}, r"gateway\.yaml:\d+: models\.m: Value error, needs either a provider or endpoints"),
        (
            {
                "quotas": [
                    {"name": "q", "per": "model", "of": ["goood"], "unit": "requests", "amount": 1, "window": "day"}
                ]
            },
            r"gateway\.yaml:\d+: quotas\.0\.of\.0: there is no model 'goood'; did you mean 'good'\?",
        ),
    ],
)
def test_a_bad_configuration_is_told_by_file_and_line(tmp_path, upstream, change, place):
    """Status 1, a line for what is wrong, and no trace."""
    ended = refused(write_config(tmp_path, upstream.url, {}, **change))

    assert 1 == ended.returncode
    assert re.search(place, ended.stderr)
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_told(tmp_path, upstream):
    """Not zero, the address, the reason, and no trace."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = refused(write_config(tmp_path, upstream.url, AUTO, server={"port": port}))

    assert 0 != ended.returncode
    assert "address already in use" in ended.stderr
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sighup_takes_a_changed_configuration(tmp_path, upstream):
    """Also one that watching the folder does not show: the policy is a link to a file elsewhere."""
    path = write_config(
        tmp_path, upstream.url, {"p": {"pool": ["good", "other"], "router": {"type": "fixed", "model": "good"}}}
    )
    elsewhere = tmp_path / "elsewhere" / "p.yaml"
    elsewhere.parent.mkdir()
    (tmp_path / "p.yaml").rename(elsewhere)
    (tmp_path / "p.yaml").symlink_to(elsewhere)
    with started(path) as process:
        served = [ask(process.url, model="p").headers["x-pointsman-model"]]
        policy = yaml.safe_load(elsewhere.read_text())
        elsewhere.write_text(yaml.safe_dump(policy | {"router": {"type": "fixed", "model": "other"}}))
        process.popen.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while "config.taken" not in process.said:
            assert time.monotonic() < deadline, process.said
            time.sleep(0.02)
        served.append(ask(process.url, model="p").headers["x-pointsman-model"])

    assert ["good", "other"] == served


def test_kill_9_loses_the_last_moment_at_most(tmp_path, upstream):
    """What had been answered half a second before is on disk (a fifth, and slack for a loaded machine)."""
    path = write_config(tmp_path, upstream.url, AUTO)
    answered: dict[str, float] = {}
    with started(path) as process, httpx2.Client() as client:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            answer = client.post(f"{process.url}/v1/chat/completions", json=ASK)
            answered[answer.headers["x-pointsman-decision-id"]] = time.monotonic()
        process.popen.kill()
        killed = time.monotonic()
        process.ended()

    found = {str(one.decision.id) for one in logged(tmp_path) if one.outcome is not None}
    due = {decision for decision, at in answered.items() if at < killed - 0.5}
    assert len(due) >= 10
    assert set() == due - found
    with started(path) as process:
        assert 200 == ask(process.url).status_code
