from __future__ import annotations

import contextlib
import threading
import time

import pytest
import yaml

from gateway.config.files import read_files
from gateway.learning.lock import Lock, LogTaken
from gateway.learning.places import beside
from gateway.learning.service import Service
from gateway.learning.snapshots import Snapshots
from gateway.learning.status import Status
from gateway.store.base import StoreError
from gateway.store.sqlite import SQLiteStore
from tests.gateway.learning.lessons import decision, outcome, rating

PATIENCE_S = 20.0


def write(folder, **router):
    (folder / "auto.yaml").write_text(
        yaml.safe_dump({"name": "auto", "router": {"type": "ema", "feature": None, **router}})
    )


@pytest.fixture
def path(tmp_path):
    write(tmp_path)
    config = {
        "providers": {"here": {"vendor": "vllm"}},
        "models": {name: {"provider": "here"} for name in ("small", "large")},
        "store": {"path": "log.db"},
        "learning": {"interval_s": 0.05},
        "policies": ["auto.yaml"],
    }
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(config))
    return tmp_path / "gateway.yaml"


@pytest.fixture
def log(path):
    with contextlib.closing(SQLiteStore.open(beside(read_files(path, {})).log)) as opened:
        yield opened


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def serving(path, stop):
    """Return a function that runs a service in a thread, until the end of the test."""
    threads = []

    def begin(**options):
        thread = threading.Thread(target=Service(path, {}, stop).run, kwargs=options)
        thread.start()
        threads.append(thread)

    yield begin
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_S)


def say(log, *numbers):
    log.append([event for n in numbers for event in (decision(n), outcome(n), rating(f"{n}", n))])


def until(holds):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def newest(path):
    return Snapshots(beside(read_files(path, {})).snapshots).newest("auto")


def test_it_takes_a_changed_configuration(path, log, serving):
    """And leaves a bad one aside; what depends on the change is learned anew."""
    say(log, 1, 2, 3)
    serving()
    first = until(lambda: newest(path))
    (path.parent / "auto.yaml").write_text("name: [")
    say(log, 4)
    time.sleep(0.3)
    write(path.parent, shrinkage=2.0)

    assert until(lambda: newest(path).label.digest != first.label.digest)
    assert 4 == newest(path).label.rows


def test_one_on_standby_learns_when_the_first_has_ended(path, log, serving):
    """Without standing by, it is refused."""
    say(log, 1)
    lock = Lock.take(beside(read_files(path, {})).lock)
    with pytest.raises(LogTaken):
        Service(path, {}, threading.Event()).run(once=True)
    serving(standby=True)
    time.sleep(0.2)
    assert newest(path) is None
    lock.release()
    assert until(lambda: newest(path))


def test_a_failure_is_told_and_tried_again(path, serving, tmp_path):
    """As where the log is not there yet; its status says how it does."""
    with pytest.raises(StoreError, match="does not exist"):
        Service(path, {}, threading.Event()).run(once=True)
    serving()
    folder = beside(read_files(path, {})).snapshots
    assert until(lambda: (said := Status.read(folder)) and said.failures > 1)
    with contextlib.closing(SQLiteStore.open(tmp_path / "log.db")) as log:
        say(log, 1)
        assert until(lambda: newest(path))
    assert until(lambda: Status.read(folder).succeeded_at > 0)
