"""What Kubernetes relies on when it stops a pod: not ready at once, open streams to their end, then status 0."""

from __future__ import annotations

import signal
import time

import httpx2
import pytest

from gateway.probe import problem
from tests.conftest import write_config
from tests.processes import logged, started
from tests.upstream import WORDS

ASK = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "Say hello."}]}
AUTO = {"auto": {"pool": ["good"], "router": {"type": "random"}}}


@pytest.fixture
def slow(upstream):
    """Let the upstream's slow streams take about two seconds."""
    pause_s, upstream.pause_s = upstream.pause_s, 0.001
    yield upstream
    upstream.pause_s = pause_s


def stopped(process):
    """Tell a gateway to stop, and wait until it says that it is not ready; return how long that took.

    Half a second later it would no longer listen if nothing kept it.
    """
    told = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)
    while problem(f"{process.url}/readyz") is None:
        time.sleep(0.005)
    took_s = time.monotonic() - told
    time.sleep(0.5)
    return took_s


def streaming(process):
    return httpx2.stream("POST", f"{process.url}/v1/chat/completions", json=ASK, timeout=30)


def test_readiness_is_refused_while_streams_go_on(tmp_path, slow):
    """A probe is told 503 at once, life is affirmed, the stream comes to its end, and the status is 0."""
    with started(write_config(tmp_path, slow.url, AUTO)) as process, streaming(process) as answer:
        lines = answer.iter_lines()
        begin = next(lines)
        waited_s = stopped(process)
        readiness = httpx2.get(f"{process.url}/readyz")
        life = problem(f"{process.url}/healthz")
        text = "\n".join([begin, *lines])
        status = process.ended()

    assert waited_s < 0.5
    assert (503, {"status": "stopping"}) == (readiness.status_code, readiness.json())
    assert life is None
    assert 200 * len(WORDS) <= text.count('"content"')
    assert text.rstrip().endswith("data: [DONE]")
    assert 0 == status
    assert [(200, None)] == [(one.outcome.status, one.outcome.error) for one in logged(tmp_path)]


def test_who_has_not_heard_of_the_stop_is_served(tmp_path, slow):
    """Endpoints take a moment to spread in a cluster: a request that comes meanwhile is not lost."""
    with started(write_config(tmp_path, slow.url, AUTO)) as process, streaming(process) as answer:
        lines = answer.iter_lines()
        next(lines)
        stopped(process)
        late = httpx2.post(f"{process.url}/v1/chat/completions", json={**ASK, "model": "good", "stream": False})
        list(lines)
        status = process.ended()

    assert (200, "".join(WORDS)) == (late.status_code, late.json()["choices"][0]["message"]["content"])
    assert 0 == status


def test_late_requests_do_not_make_the_drain_longer(tmp_path, upstream):
    """What comes after the signal has the rest of `drain_s`, and no time of its own."""
    path = write_config(tmp_path, upstream.url, AUTO, server={"drain_s": 4})
    with started(path) as process, streaming(process) as first:
        # Lines that nobody holds are given up, and the stream with them.
        early = first.iter_lines()
        next(early)
        stopped(process)
        told = time.monotonic()
        time.sleep(1)
        with streaming(process) as second:
            late, came = second.iter_lines(), time.monotonic()
            next(late)
            status = process.ended()
        ended = time.monotonic()

    assert 0 == status
    assert ended - told > 3
    assert ended - came < 4  # a time of its own would be as long
    assert ["gateway_stopped"] * 2 == [one.outcome.error for one in logged(tmp_path)]


def test_an_idle_gateway_ends_at_once(tmp_path, upstream):
    """There is nothing to wait for."""
    with started(write_config(tmp_path, upstream.url, AUTO)) as process:
        assert problem(f"{process.url}/readyz") is None
        told = time.monotonic()
        process.popen.send_signal(signal.SIGTERM)
        status = process.ended()

    assert 0 == status
    assert time.monotonic() - told < 5
