from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import yaml

from gateway.config.files import read_files
from gateway.learning.counting import Pupil
from gateway.learning.places import beside
from gateway.learning.snapshots import Snapshots
from gateway.learning.subjects import rules_of, subjects_of
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore
from tests.gateway.learning.lessons import decision, in_memory, learn_all, outcome, rating
from tests.processes import ROOT
from tests.redis_server import redis_server

REPLICAS = 3
PATIENCE_S = 60.0


def configured(folder, url):
    """Write a replica's configuration; return the gateway's file."""
    folder.mkdir()
    (folder / "auto.yaml").write_text(yaml.safe_dump({"name": "auto", "router": {"type": "ema", "feature": None}}))
    config = {
        "providers": {"here": {"vendor": "vllm"}},
        "models": {name: {"provider": "here"} for name in ("small", "large")},
        "store": {"path": "log.db"},
        "redis": {"url": url},
        "learning": {"interval_s": 0.1},
        "feedback": {"caller_allowance": 5.0},
        "policies": ["auto.yaml"],
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def said(first, count, model):
    """Return decisions with outcomes and ratings; one caller has said nearly all of it."""
    numbers = range(first, first + count)
    return [
        event
        for n in numbers
        for event in (
            decision(n),
            outcome(n, model),
            rating(f"{n}", n, n % 7 / 6, caller="loud" if n % 5 else f"caller-{n}"),
        )
    ]


def alone(path, events):
    """Return what one learner learns that has it all in one log."""
    files = read_files(path, {})
    (subject,) = subjects_of(files, rules_of(files))
    log = MemoryStore()
    log.append(events)
    with contextlib.closing(in_memory()) as book:
        learner = learn_all(log, book, Pupil(subject, subject.new_router()), rules=rules_of(files))
        return learner.progress("auto").share.fingerprint()


def newest(path):
    """Return what a replica's newest snapshot was learned from, and its state."""
    found = Snapshots(beside(read_files(path, {})).snapshots).newest("auto")
    return (found.label.content, found.state) if found else (None, None)


def until_all_know(paths, content):
    """Wait until every replica has learned it; return their states."""
    deadline = time.monotonic() + PATIENCE_S
    while {known for known, _ in map(newest, paths)} != {content}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return {state for _, state in map(newest, paths)}


def test_replicas_learn_what_one_alone_would(tmp_path):
    """Each from its own log, in a process of its own; Redis is killed meanwhile, and comes back without its data."""
    with redis_server(tmp_path) as server, contextlib.ExitStack() as running:
        paths = [configured(tmp_path / f"replica-{n}", server.url) for n in range(REPLICAS)]
        logs = [
            running.enter_context(contextlib.closing(SQLiteStore.open(beside(read_files(path, {})).log)))
            for path in paths
        ]
        events = [said(100 * n, 20, "small" if n else "large") for n in range(REPLICAS)]
        for log, some in zip(logs, events, strict=True):
            log.append(some)
        for path in paths:
            command = [sys.executable, "-m", "gateway", "learn", "--config", str(path)]
            learner = running.enter_context(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))
            running.callback(learner.terminate)
        assert 1 == len(until_all_know(paths, alone(paths[0], [one for some in events for one in some])))

        server.kill()
        for n, log in enumerate(logs):
            events.append(said(1000 + 100 * n, 10 + n, "large"))
            log.append(events[-1])
        time.sleep(0.5)
        server.start()
        assert 1 == len(until_all_know(paths, alone(paths[0], [one for some in events for one in some])))
