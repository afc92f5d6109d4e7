"""Several processes that serve as one: real ones, on one port, with real signals."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.conftest import write_config
from tests.processes import PATIENCE_S, ROOT, command, logged, started, until

AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "random"}}}
FIXED = {"p": {"pool": ["good", "other"], "router": {"type": "fixed", "model": "good"}}}
ASK = {"model": "good", "messages": [{"role": "user", "content": "Say hello."}]}
TWO = ("--workers", "2")


def ask(url, **fields):
    """Ask over a connection of its own."""
    return httpx2.post(f"{url}/v1/chat/completions", json={**ASK, **fields}, timeout=PATIENCE_S)


async def ask_at_once(url, count, **fields):
    """Ask over so many connections at once; return the answers."""

    async def one():
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as client:
            return await client.post(f"{url}/v1/chat/completions", json={**ASK, **fields})

    return await asyncio.gather(*(one() for _ in range(count)))


def sample(url, name):
    """Return a metric's value: the sum over its labels."""
    lines = httpx2.get(f"{url}/metrics", timeout=PATIENCE_S).text.splitlines()
    found = [float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}(\{{| )", line)]
    return sum(found)


def children(pid):
    """Return the processes that a process has started, and their commands."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found[int(folder.name)] = (folder / "cmdline").read_text().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
    return found


def workers(process):
    """Return the workers' process ids."""
    return [pid for pid, words in children(process.popen.pid).items() if "worker" in words]


async def test_all_that_is_asked_is_logged_and_counted(tmp_path, upstream):
    """Whoever serves it: both write one log, and whoever is asked shows what both have counted, also of the dead."""
    with started(write_config(tmp_path, upstream.url, AUTO), *TWO) as process:
        answers = await ask_at_once(process.url, 120, model="auto")
        counts = {sample(process.url, "pointsman_requests_total") for _ in range(10)}
        assert {120} == counts
        assert 2 == sample(process.url, "pointsman_workers")
        assert 1 == process.said.count("ready at")
        served = [int(pid) for pid in workers(process)]
        assert 2 == len(served)
        await asyncio.sleep(1.5)  # by then the parent has heard what each has counted
        os.kill(served[0], signal.SIGKILL)
        until(lambda: sample(process.url, "pointsman_worker_deaths_total") == 1)
        assert 120 == sample(process.url, "pointsman_requests_total")
        until(lambda: len(workers(process)) == 2 and sample(process.url, "pointsman_workers") == 2)
        assert 120 == sample(process.url, "pointsman_requests_total")
        assert [200] * 40 == [answer.status_code for answer in await ask_at_once(process.url, 40)]
        assert 160 == sample(process.url, "pointsman_requests_total")
        process.popen.send_signal(signal.SIGTERM)
        assert 0 == process.ended()

    assert [200] * 120 == [answer.status_code for answer in answers]
    ids = {answer.headers["x-pointsman-decision-id"] for answer in answers}
    found = logged(tmp_path)
    assert (120, 160) == (len(ids), len(found))
    assert ids <= {str(one.decision.id) for one in found if one.outcome is not None}


async def test_both_serve(tmp_path, upstream):
    """New connections are dealt out: of forty, neither has all."""
    with started(write_config(tmp_path, upstream.url, {}), *TWO) as process:
        before = {pid: cpu_s(pid) for pid in workers(process)}
        await ask_at_once(process.url, 200)
        spent = {pid: cpu_s(pid) - before[pid] for pid in before}

    assert 2 == len(spent)
    assert min(spent.values()) > 0.2 * max(spent.values()), spent


def cpu_s(pid):
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_limits_hold_for_all_together(tmp_path, upstream):
    """Of forty requests at once exactly as many pass as may; the others are told why."""
    quota = {"name": "few", "per": "everyone", "unit": "requests", "amount": 11, "window": "day"}
    with started(write_config(tmp_path, upstream.url, {}, quotas=[quota]), *TWO) as process:
        statuses = sorted(answer.status_code for answer in await ask_at_once(process.url, 40))

    assert [200] * 11 + [429] * 29 == statuses


def test_a_session_keeps_its_model(tmp_path, upstream):
    """On whichever worker its requests come, and when all have been started anew."""
    body = {**ASK, "model": "auto"}
    with started(write_config(tmp_path, upstream.url, AUTO), *TWO) as process:

        def served(count):
            asked = [
                httpx2.post(
                    f"{process.url}/v1/chat/completions",
                    json=body,
                    headers={"x-session-id": "one"},
                    timeout=PATIENCE_S,
                )
                for _ in range(count)
            ]
            return {answer.headers["x-pointsman-model"] for answer in asked}

        first = served(16)
        before = workers(process)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(set(workers(process)) - set(before)) == 2 and reached(process))
        again = served(8)

    assert 1 == len(first)
    assert first == again


def test_what_a_killed_worker_held_comes_back(tmp_path, upstream):
    """Its place is free as soon as it is gone; what was used before is not forgotten."""
    quotas = [
        {"name": "one", "per": "everyone", "unit": "concurrent", "amount": 1},
        {"name": "three", "per": "everyone", "unit": "requests", "amount": 3, "window": "day"},
    ]
    with started(write_config(tmp_path, upstream.url, {}, quotas=quotas), *TWO) as process:
        assert 200 == ask(process.url).status_code
        body = {**ASK, "model": "slow", "stream": True}
        with httpx2.stream("POST", f"{process.url}/v1/chat/completions", json=body, timeout=PATIENCE_S) as answer:
            lines = answer.iter_lines()  # which would close the stream where nobody held it
            next(lines)
            assert 429 == ask(process.url).status_code
            before = workers(process)
            for pid in before:
                os.kill(pid, signal.SIGKILL)
        until(lambda: len(set(workers(process)) - set(before)) == 2 and reached(process))
        statuses = [ask(process.url).status_code for _ in range(3)]

    # The stream's own count was held, not settled: it came back with its worker.
    assert [200, 200, 429] == statuses


def reached(process):
    """Tell whether somebody listens."""
    try:
        return httpx2.get(f"{process.url}/readyz", timeout=PATIENCE_S).status_code == 200
    except httpx2.TransportError:
        return False


def rewrite(path, old, new):
    path.write_text(path.read_text().replace(old, new))


def served_by(url, count=16):
    """Return who answers, over many connections."""
    return {ask(url, model="p").headers["x-pointsman-model"] for _ in range(count)}


@pytest.mark.parametrize("by_signal", [True, False])
def test_a_changed_configuration_is_taken_by_all(tmp_path, upstream, by_signal):
    """By SIGHUP to the parent, and by itself; a bad one by none, and what was good goes on."""
    path = write_config(tmp_path, upstream.url, FIXED)
    policy = tmp_path / "p.yaml"
    if by_signal:
        # Watching the folder does not show it: the policy is a link to a file elsewhere.
        (tmp_path / "elsewhere").mkdir()
        policy.rename(tmp_path / "elsewhere" / "p.yaml")
        policy.symlink_to(tmp_path / "elsewhere" / "p.yaml")
        policy = tmp_path / "elsewhere" / "p.yaml"
    with started(path, *TWO) as process:

        def change(old, new):
            rewrite(policy, old, new)
            if by_signal:
                process.popen.send_signal(signal.SIGHUP)

        assert {"good"} == served_by(process.url)
        change("model: good", "model: other")
        until(lambda: process.said.count("config.taken") == 2)
        assert {"other"} == served_by(process.url)
        change("model: other", "model: othre")
        until(lambda: process.said.count("config.refused") >= 2)
        assert {"other"} == served_by(process.url)
        assert 0 == sample(process.url, "pointsman_config_last_reload_successful")
        change("model: othre", "model: good")
        until(lambda: process.said.count("config.taken") == 4)
        assert {"good"} == served_by(process.url)
        assert 1 == sample(process.url, "pointsman_config_last_reload_successful")
        assert 1 == sample(process.url, "pointsman_config_info")


def test_a_worker_that_begins_anew_goes_by_what_is_in_force(tmp_path, upstream):
    """A configuration that has changed unseen comes into force for all, or for none."""
    path = write_config(tmp_path, upstream.url, FIXED)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "p.yaml").rename(elsewhere / "p.yaml")
    (tmp_path / "p.yaml").symlink_to(elsewhere / "p.yaml")
    with started(path, *TWO) as process:
        rewrite(elsewhere / "p.yaml", "model: good", "model: other")
        os.kill(workers(process)[1], signal.SIGKILL)
        until(lambda: "config.taken" in process.said)
        assert {"other"} == served_by(process.url)


async def test_sigterm_lets_open_streams_end(tmp_path, upstream):
    """Of all workers; then the parent ends, with status 0, and the log is complete."""
    upstream.pause_s, before = 0.001, upstream.pause_s
    try:
        with started(write_config(tmp_path, upstream.url, {}), *TWO) as process:

            async def stream(begun):
                async with (
                    httpx2.AsyncClient(timeout=PATIENCE_S) as client,
                    client.stream(
                        "POST", f"{process.url}/v1/chat/completions", json={**ASK, "model": "slow", "stream": True}
                    ) as answer,
                ):
                    lines = answer.aiter_lines()
                    await anext(lines)
                    begun.release()
                    return [line async for line in lines if line][-1]

            begun = asyncio.Semaphore(0)
            streams = [asyncio.ensure_future(stream(begun)) for _ in range(12)]
            for _ in streams:
                await begun.acquire()
            process.popen.send_signal(signal.SIGTERM)
            last = await asyncio.gather(*streams)
            status = await asyncio.to_thread(process.ended)
    finally:
        upstream.pause_s = before

    assert (["data: [DONE]"] * 12, 0) == (last, status)
    assert [(200, None)] * 12 == [(one.outcome.status, one.outcome.error) for one in logged(tmp_path)]
    assert "Traceback" not in process.said


def test_workers_end_with_their_parent(tmp_path, upstream):
    """However that ends."""
    with started(write_config(tmp_path, upstream.url, {}, server={"drain_s": 1}), *TWO) as process:
        served = workers(process)
        process.popen.kill()
        process.ended()
        until(lambda: not any(Path(f"/proc/{pid}").exists() and "worker" in said(pid) for pid in served))


def said(pid):
    """Return a process's command; nothing for one that is only waited for."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_one_of_them_has_a_learner(tmp_path, upstream):
    """Whatever the router, one log has one learner; with its worker it begins anew."""
    policies = {"auto": {"pool": ["good", "other"], "router": {"type": "epsilon_greedy"}}}
    with started(write_config(tmp_path, upstream.url, policies, learning={"interval_s": 0.1}), *TWO) as process:

        def learners():
            return [pid for one in workers(process) for pid, words in children(one).items() if "learn" in words]

        (first,) = until(learners)
        (leading,) = [pid for pid in workers(process) if first in children(pid)]
        os.kill(leading, signal.SIGKILL)
        until(lambda: (found := learners()) and found != [first])
        time.sleep(1)
        assert 1 == len(learners())


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"store": {"type": "memory"}}, r"store\.type: each of 3 workers would have a log of its own"),
        ({"server": {"host": "0.0.0.0"}}, r"server\.host: "),
        ({"server": {"workers": 0}}, r"server\.workers: Input should be greater"),
        (
            {
                "providers": {
                    "up": {
                        "vendor": "openai-compatible",
                        "base_url": "http://127.0.0.1:9/v1",
                        "concurrency": {"max": 2},
                    },
                    "away": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"},
                }
            },
            r"providers\.up\.concurrency\.max: is less than one for each of 3 workers",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused(tmp_path, upstream, sections, place):
    """Once, by file and line, before anything is started."""
    ended = refused(write_config(tmp_path, upstream.url, {}, **sections), "--workers", "3")

    assert 1 == ended.returncode
    assert 1 == len(re.findall(place, ended.stderr))
    assert "Traceback" not in ended.stderr


def test_what_only_opening_shows_is_said_once(tmp_path, upstream):
    """By the first worker, which the others wait for; its status is that of all."""
    path = write_config(tmp_path, upstream.url, {}, store={"type": "sqlite", "path": "gateway.yaml"})
    ended = refused(path, *TWO)

    assert 1 == ended.returncode
    assert 1 == ended.stderr.count("error:")
    assert "Traceback" not in ended.stderr


def refused(path, *options):
    """Start what cannot start, and wait for its end."""
    return subprocess.run(
        command(path, *options), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.mark.parametrize("reuses", [False, True])
def test_a_port_in_use_is_told(tmp_path, upstream, reuses):
    """Also one whose owner would let others in: they would share its connections."""
    with socket.socket() as taken:
        if reuses:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = refused(write_config(tmp_path, upstream.url, AUTO, server={"port": port, "workers": 2}))

    assert 1 == ended.returncode
    assert "address already in use" in ended.stderr
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_configuration_says_how_many(tmp_path, upstream):
    """The option goes before."""
    path = write_config(tmp_path, upstream.url, {}, server={"workers": 2})
    with started(path) as process:
        assert 2 == len(workers(process))
    with started(path, "--workers", "1") as process:
        assert [] == workers(process)
    assert yaml.safe_load(path.read_text())["server"] == {"workers": 2}
