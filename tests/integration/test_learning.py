from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from gateway.application import Gateway
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.learning.book import Book
from gateway.learning.counting import Pupil
from gateway.learning.lock import LogTaken
from gateway.learning.places import beside
from gateway.learning.service import Service
from gateway.learning.snapshots import Snapshots
from gateway.learning.subjects import rules_of, subjects_of
from gateway.store.sqlite import SQLiteStore
from tests.conftest import write_config
from tests.gateway.learning.lessons import learn_all
from tests.processes import PATIENCE_S, ROOT, logged, started, until

ASK = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}
AUTO = {"auto": {"pool": ["good", "other"], "router": {"type": "epsilon_greedy", "decay": 0.95, "min_epsilon": 0.1}}}
QUICKLY = {"learning": {"interval_s": 0.1}}
BY_ANOTHER = {"learning": {"interval_s": 0.1, "run": "external"}}


def talk(url, count, scores):
    """Ask, and rate each answer by its model; return who answered."""
    with httpx2.Client(base_url=f"{url}/v1", timeout=20) as http:
        models = []
        for _ in range(count):
            answer = http.post("/chat/completions", json=ASK)
            models.append(answer.headers["x-pointsman-model"])
            decision = answer.headers["x-pointsman-decision-id"]
            http.post("/feedback", json={"decision_id": decision, "score": scores[models[-1]]}).raise_for_status()
    return models


def metric(url, name):
    """Return a metric's value; None where it is not there."""
    lines = httpx2.get(f"{url}/metrics", timeout=20).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"pointsman_{name}")), None)


def rows_in_force(url):
    return metric(url, 'learned_rows{policy="auto"}')


def learner_of(process):
    """Return the id of a gateway's learner; None where it has none."""
    pid = process.popen.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            if b"learn" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
    return None


def learn(path):
    """Learn all that is in the log, as `pointsman learn --once` does."""
    Service(path, {}, threading.Event()).run(once=True)


def shares(path):
    """Return what the learner has in its file, and what a new one learns from the same log."""
    files = read_files(path, {})
    place = beside(files)
    (subject,) = subjects_of(files, rules_of(files))
    with (
        contextlib.closing(SQLiteStore.open(place.log, read_only=True)) as log,
        contextlib.closing(Book.open(Path(":memory:"))) as new,
        contextlib.closing(Book.open(place.book)) as old,
    ):
        fresh = learn_all(log, new, Pupil(subject, subject.new_router()), rules=rules_of(files))
        return old.progress("auto").share, fresh.progress("auto").share


def test_traffic_moves_to_the_better_model(tmp_path, upstream):
    """Within some hundred requests; a learner that dies is started again, and nobody else learns from its log."""
    path = write_config(tmp_path, upstream.url, AUTO, **QUICKLY)
    with started(path) as process:
        learner = until(lambda: learner_of(process))
        first = talk(process.url, 60, {"good": 0.9, "other": 0.2})
        until(lambda: rows_in_force(process.url) == 60)
        with pytest.raises(LogTaken, match=f"process {learner}"):
            learn(path)
        os.kill(learner, signal.SIGKILL)
        for _ in range(4):
            later = talk(process.url, 40, {"good": 0.9, "other": 0.2})
        until(lambda: rows_in_force(process.url) == 220)
        learner = learner_of(process)
        version, lag = (metric(process.url, name) for name in ("learned_version", "learning_lag_seconds"))
        assert 1 == metric(process.url, 'learning_failures_total{what="process"}')
    # The gateway was killed, and its learner ends with it.
    until(lambda: not Path(f"/proc/{learner}").exists())
    old, new = shares(path)

    assert 10 <= first.count("other")
    assert later.count("good") >= 32
    assert version >= 2
    assert 0 <= lag < PATIENCE_S
    assert 2 <= len({entry.decision.policy_digest for entry in logged(tmp_path)})
    assert old.fingerprint() == new.fingerprint()


def test_what_was_learned_is_in_force_from_the_start(serve):
    """A gateway takes the last snapshot before it serves, whoever made it; one that is damaged it does not."""
    teacher = serve(AUTO, **BY_ANOTHER)
    talk(teacher.url, 80, {"good": 0.9, "other": 0.1})
    learn(teacher.gateway.path)
    follower = serve(AUTO, **BY_ANOTHER)
    assert 80 == rows_in_force(follower.url)
    assert talk(follower.url, 20, {"good": 0.9, "other": 0.1}).count("good") >= 14

    (snapshot,) = (teacher.folder / "log.db.learned").glob("auto/*")
    (snapshot / "state.npz").write_bytes(b"damaged")
    other = serve(AUTO, **BY_ANOTHER)
    assert rows_in_force(other.url) is None
    assert 1 == metric(other.url, 'learning_failures_total{what="snapshot"}')
    assert 200 == httpx2.post(f"{other.url}/v1/chat/completions", json=ASK, timeout=20).status_code


def test_a_reload_keeps_what_was_learned(serve):
    """What the policy says besides may change; its digest tells both."""
    running = serve(AUTO, **BY_ANOTHER)
    talk(running.url, 60, {"good": 0.9, "other": 0.1})
    learn(running.gateway.path)
    until(lambda: rows_in_force(running.url) == 60)
    talk(running.url, 5, {"good": 0.9, "other": 0.1})
    policy = running.folder / "auto.yaml"
    policy.write_text(policy.read_text() + "description: Another text.\n")
    until(lambda: metric(running.url, 'config_reloads_total{result="taken"}'))

    assert talk(running.url, 20, {"good": 0.9, "other": 0.1}).count("good") >= 14
    assert 3 == len({entry.decision.policy_digest for entry in running.logged()})


def test_deleted_feedback_is_unlearned(serve):
    """What the learner knows afterwards is what one knows that never heard of it."""
    running = serve(AUTO, **BY_ANOTHER)
    path = running.gateway.path
    talk(running.url, 30, {"good": 0.9, "other": 0.1})
    learn(path)
    before, _ = shares(path)
    opinion = {"decision_id": str(running.logged()[7].decision.id), "thumb": "down", "source": "regret"}
    said = httpx2.post(f"{running.url}/v1/feedback", json=opinion, timeout=20).json()
    learn(path)
    meanwhile, _ = shares(path)
    httpx2.delete(f"{running.url}/v1/feedback/{said['id']}", timeout=20).raise_for_status()
    learn(path)
    after, fresh = shares(path)

    assert before.fingerprint() != meanwhile.fingerprint()
    assert before.fingerprint() == after.fingerprint() == fresh.fingerprint()


def test_a_router_that_learns_by_tables_is_fitted_anew(serve):
    """Where its policy asks for it."""
    router = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0.3}}
    policy = {"pool": ["good", "other"], "router": router, "learning": {"enabled": True, "window": 50}}
    running = serve({"auto": policy}, **BY_ANOTHER)
    talk(running.url, 60, {"good": 0.1, "other": 0.9})
    learn(running.gateway.path)
    until(lambda: rows_in_force(running.url) == 50)
    assert talk(running.url, 30, {"good": 0.1, "other": 0.9}).count("other") >= 12
    assert [1] == Snapshots(running.folder / "log.db.learned").versions("auto")


@pytest.mark.parametrize("sections", [{"store": {"type": "memory"}}, BY_ANOTHER])
def test_where_nothing_is_to_be_learned_from_nothing_learns(serve, sections):
    """A log in memory no other process can read; with `external`, somebody else is to learn. It serves all the same."""
    running = serve(AUTO, **sections)
    assert 200 == httpx2.post(f"{running.url}/v1/chat/completions", json=ASK, timeout=20).status_code
    assert running.gateway._learning._child.pid is None


async def test_who_asks_for_learning_needs_a_log_in_a_file(tmp_path, upstream):
    """The message says where, and what to do."""
    path = write_config(
        tmp_path, upstream.url, {"auto": {**AUTO["auto"], "learning": {"enabled": True}}}, store={"type": "memory"}
    )
    with pytest.raises(ConfigError, match=r"auto.yaml:\d+: learning.enabled: .* set store.type to sqlite"):
        await Gateway(path, {}).open()


def test_the_command_learns_once(serve):
    """And ends; it prints nothing."""
    running = serve(AUTO, **BY_ANOTHER)
    talk(running.url, 5, {"good": 0.9, "other": 0.1})
    command = [sys.executable, "-m", "gateway", "learn", "--once", "--config", str(running.gateway.path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (0, "") == (ended.returncode, ended.stdout)
    assert [1] == Snapshots(running.folder / "log.db.learned").versions("auto")


def test_kills_lose_nothing():
    """The benchmark, for some kills."""
    script = ROOT / "benchmarks" / "learning_kills.py"
    command = [sys.executable, str(script), "--kills", "3", "--clients", "4", "--longest", "1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)

    assert 0 == ended.returncode, ended.stderr + ended.stdout
