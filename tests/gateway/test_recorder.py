import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

import gateway
from gateway.recorder import MAX_BATCH, Recorder
from gateway.store.base import RefusedEventError, StoreError
from gateway.store.checks import NOON, SECOND, build_decision, build_feedback, build_outcome
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore

ROOT = Path(gateway.__file__).parents[1]


class Faulty(MemoryStore):
    """A store that fails while it is told to, and remembers how large its batches were."""

    def __init__(self):
        """Work at first."""
        super().__init__()
        self.failing = False
        self.batches = []

    def append(self, events):
        """Fail, or append."""
        if self.failing:
            raise StoreError("log.db: the disk is full")
        self.batches.append(len(events))
        return super().append(events)


class Hanging(MemoryStore):
    """A store whose disk does not answer until it is released."""

    def __init__(self):
        """Hang at first."""
        super().__init__()
        self.reached = threading.Event()
        self.released = threading.Event()

    def append(self, events):
        """Wait, then append."""
        self.reached.set()
        self.released.wait(30)
        return super().append(events)


class Witness:
    """Remembers what a recorder reports."""

    def __init__(self):
        """Remember nothing yet."""
        self.dropped = 0
        self.errors = []

    def on_dropped(self, count):
        """Count lost events."""
        self.dropped += count

    def on_error(self, error):
        """Keep the error."""
        self.errors.append(str(error))


@pytest.fixture
def witness():
    """Provide somebody to report to."""
    return Witness()


def build_recorder(store, witness, **limits):
    """Build a recorder that is not started."""
    return Recorder(store, on_dropped=witness.on_dropped, on_error=witness.on_error, **limits)


@asynccontextmanager
async def recording(store, witness, **limits):
    """Run a recorder, and close it in the end."""
    recorder = build_recorder(store, witness, **limits)
    recorder.start()
    try:
        yield recorder
    finally:
        await recorder.aclose()


async def until(condition):
    """Wait until a condition holds, for ten seconds at most."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    pytest.fail("waited for ten seconds in vain")


def stored(path):
    """Return the ids of the decisions on disk, through a connection of its own."""
    with closing(SQLiteStore.open(path, read_only=True)) as store:
        return [logged.decision.id.int for logged in store.joined()]


def dropped_lines(caplog):
    """Return how many lost events each line of the log names."""
    return [record.dropped for record in caplog.records if record.message == "event.dropped"]


async def test_closing_loses_nothing(tmp_path, witness):
    """Everything that was recorded is on disk when closing returns."""
    recorder = build_recorder(SQLiteStore.open(tmp_path / "log.db"), witness)
    recorder.start()
    for number in range(3000):
        recorder.record(build_decision(number))

    await recorder.aclose()

    assert list(range(3000)) == stored(tmp_path / "log.db")
    assert (recorder.pending, witness.dropped, witness.errors) == (0, 0, [])


async def test_closing_without_starting_loses_nothing(tmp_path, witness):
    """A gateway that stops before it was up writes what it has."""
    recorder = build_recorder(SQLiteStore.open(tmp_path / "log.db"), witness)
    recorder.record(build_decision(1))

    await recorder.aclose()
    await recorder.aclose()

    assert stored(tmp_path / "log.db") == [1]


async def test_closing_closes_the_store(witness):
    """The store is not usable any more."""
    store = MemoryStore()
    await build_recorder(store, witness).aclose()

    with pytest.raises(StoreError, match="closed"):
        store.append([])


async def test_events_reach_the_disk_unasked(tmp_path, witness):
    """What is recorded is committed soon, without anything else happening."""
    path = tmp_path / "log.db"
    async with recording(SQLiteStore.open(path), witness) as recorder:
        recorder.record(build_decision(1))
        await until(lambda: stored(path) == [1])

        recorder.record(build_decision(2))
        await until(lambda: stored(path) == [1, 2])
        assert recorder.pending == 0


async def test_events_are_committed_together(witness):
    """What is queued becomes one transaction, up to a limit."""
    store = Faulty()
    recorder = build_recorder(store, witness)
    for number in range(2 * MAX_BATCH + 1):
        recorder.record(build_decision(number))

    await recorder.aclose()

    assert store.batches == [MAX_BATCH, MAX_BATCH, 1]


async def test_events_beyond_a_batch_are_not_forgotten(witness):
    """What did not fit into a batch is written too, though nothing further is recorded."""
    async with recording(MemoryStore(), witness, flush_interval_s=0.2) as recorder:
        for number in range(MAX_BATCH + 1):
            recorder.record(build_decision(number))

        await until(lambda: recorder.pending == 0)


async def test_durable_event_is_on_disk_on_return(tmp_path, witness):
    """Another connection finds feedback as soon as it is acknowledged, and what was recorded before it."""
    path = tmp_path / "log.db"
    async with recording(SQLiteStore.open(path), witness) as recorder:
        for number in range(20):
            recorder.record(build_decision(number))
            assert await recorder.record_durably(build_feedback(f"f{number}", number))

            with closing(sqlite3.connect(path)) as other:
                assert (number + 1,) == other.execute("SELECT count(*) FROM feedback").fetchone()
                assert (number + 1,) == other.execute("SELECT count(*) FROM decisions").fetchone()


async def test_durable_event_waits_for_the_disk(witness):
    """Nothing is acknowledged while the commit is under way."""
    store = Hanging()
    async with recording(store, witness) as recorder:
        waiting = asyncio.create_task(recorder.record_durably(build_feedback("f", 1)))
        await until(store.reached.is_set)
        await asyncio.sleep(0.05)

        assert not waiting.done()
        store.released.set()
        assert await waiting is True


async def test_durable_event_does_not_wait_for_the_interval(witness):
    """Somebody who waits is served at once, and so is closing."""
    async with recording(MemoryStore(), witness, flush_interval_s=60) as recorder:
        recorder.record(build_decision(1))
        assert await recorder.record_durably(build_feedback("f", 1))
        recorder.record(build_decision(2))


async def test_durable_repeat_is_told_apart(witness):
    """The same feedback again is no error, and not new."""
    async with recording(MemoryStore(), witness) as recorder:
        feedback = [build_feedback(id_, 1) for id_ in "ababc"]
        news = await asyncio.gather(*map(recorder.record_durably, feedback))

        assert news == [True, True, False, False, True]
        assert await recorder.record_durably(feedback[0]) is False


async def test_flushing_waits_for_what_came_before(witness):
    """And not for the interval; what comes later may wait longer."""
    store = MemoryStore()
    async with recording(store, witness, flush_interval_s=60) as recorder:
        for number in range(1500):
            recorder.record(build_decision(number))
        await recorder.flushed()
        recorder.record(build_decision(9999))

        assert list(range(1500)) == [event.decision.id.int for event in store.joined(until=NOON + 2000 * SECOND)]


async def test_flushing_does_not_wait_for_ever(witness):
    """A disk that hangs, fails or is closed is an error in time."""
    hanging, failing = Hanging(), Faulty()
    failing.failing = True
    async with recording(hanging, witness, patience_s=0.05) as recorder:
        recorder.record(build_decision(1))
        with pytest.raises(StoreError, match="did not answer"):
            await recorder.flushed()
        hanging.released.set()
    with pytest.raises(StoreError, match="closed"):
        await recorder.flushed()
    async with recording(failing, witness, patience_s=0.2) as recorder:
        recorder.record(build_decision(1))
        with pytest.raises(StoreError, match="disk is full"):
            await recorder.flushed()
        failing.failing = False


async def test_full_queue_drops_and_counts(witness, caplog):
    """Beyond the limit, events are dropped: counted each, logged once a second, and never an error."""
    store = MemoryStore()
    recorder = build_recorder(store, witness, max_queue=3)
    for number in range(10):
        recorder.record(build_decision(number))

    assert (recorder.pending, witness.dropped) == (3, 7)
    assert dropped_lines(caplog) == [1]
    with pytest.raises(StoreError, match="full"):
        await recorder.record_durably(build_feedback("f", 1))
    kept = store.joined()
    recorder.start()
    await until(lambda: recorder.pending == 0)
    assert [logged.decision.id.int for logged in kept] == [0, 1, 2]
    await recorder.aclose()

    assert dropped_lines(caplog) == [1, 6]


async def test_recording_does_not_wait_for_the_disk(witness):
    """While the disk hangs, events are taken and queued."""
    store = Hanging()
    async with recording(store, witness) as recorder:
        recorder.record(build_decision(0))
        await until(store.reached.is_set)

        for number in range(1, 100):
            recorder.record(build_decision(number))

        assert recorder.pending == 100
        store.released.set()
        await until(lambda: recorder.pending == 0)
        assert len(list(store.joined())) == 100


async def test_failing_store_keeps_events_until_it_recovers(witness, caplog):
    """Decisions and outcomes wait for the store; nothing is lost, and the operator is told."""
    store = Faulty()
    store.failing = True
    async with recording(store, witness) as recorder:
        recorder.record(build_decision(1))
        await until(lambda: len(witness.errors) >= 2)
        recorder.record(build_outcome(1))
        assert recorder.pending == 2

        store.failing = False
        await until(lambda: recorder.pending == 0)

        (logged,) = store.joined()
        assert (build_decision(1), build_outcome(1)) == (logged.decision, logged.outcome)
    assert {"log.db: the disk is full"} == set(witness.errors)
    reasons = [record.reason for record in caplog.records if record.message == "store.failed"]
    assert witness.errors == reasons
    assert witness.dropped == 0


async def test_failing_store_fails_feedback_at_once(witness):
    """Feedback hears the reason, is not kept, and may be given again."""
    store = Faulty()
    store.failing = True
    async with recording(store, witness, patience_s=30) as recorder:
        recorder.record(build_decision(1))
        for _ in range(2):
            with pytest.raises(StoreError, match="the disk is full"):
                await recorder.record_durably(build_feedback("f", 1))
        assert recorder.pending == 1

        store.failing = False
        assert await recorder.record_durably(build_feedback("f", 1)) is True


async def test_failing_store_drops_when_the_queue_is_full(witness):
    """A failure that lasts costs the newest events, not memory without end."""
    store = Faulty()
    store.failing = True
    async with recording(store, witness, max_queue=5) as recorder:
        recorder.record(build_decision(0))
        await until(lambda: witness.errors)
        for number in range(1, 8):
            recorder.record(build_decision(number))
        assert (recorder.pending, witness.dropped) == (5, 3)

        store.failing = False
        await until(lambda: recorder.pending == 0)
        assert len(list(store.joined())) == 5


async def test_locked_file_is_waited_for(tmp_path, witness):
    """Another process that holds the file delays events, and loses none."""
    path = tmp_path / "log.db"
    async with recording(SQLiteStore.open(path, busy_timeout_s=0.01), witness) as recorder:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            recorder.record(build_decision(1))
            await until(lambda: witness.errors)
            assert "another process holds it locked" in witness.errors[0]
            other.rollback()

        await until(lambda: stored(path) == [1])


async def test_hanging_disk_does_not_hold_feedback_for_ever(witness):
    """After its patience, feedback is told that the disk does not answer."""
    store = Hanging()
    async with recording(store, witness, patience_s=0.05) as recorder:
        with pytest.raises(StoreError, match=r"did not answer within 0\.05 s"):
            await recorder.record_durably(build_feedback("f", 1))
        store.released.set()
        await until(lambda: recorder.pending == 0)


async def test_cancelled_feedback_does_not_stop_the_writer(witness):
    """A client that leaves while its feedback is written changes nothing for others."""
    store = Hanging()
    async with recording(store, witness) as recorder:
        waiting = asyncio.create_task(recorder.record_durably(build_feedback("f", 1)))
        await until(store.reached.is_set)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        store.released.set()

        assert await recorder.record_durably(build_feedback("g", 1)) is True


async def test_event_that_cannot_be_stored_does_not_hold_up_others(witness, caplog):
    """It is dropped and named; what is queued with it, and feedback, are stored."""
    store = MemoryStore()
    recorder = build_recorder(store, witness)
    unfit = build_decision(2, at=NOON.replace(tzinfo=None))
    for event in (build_decision(1), unfit, build_decision(3)):
        recorder.record(event)
    recorder.start()

    assert await recorder.record_durably(build_feedback("f", 3)) is True
    with pytest.raises(RefusedEventError, match="feedback cannot be stored"):
        await recorder.record_durably(build_feedback("g", 3, value=float("nan")))

    assert [logged.decision.id.int for logged in store.joined()] == [1, 3]
    await recorder.aclose()
    assert witness.dropped == 2
    assert "no time zone" in next(record.reason for record in caplog.records if record.message == "event.refused")


async def test_closing_gives_up_on_a_store_that_fails(witness, caplog):
    """Shutting down does not wait for ever for a disk that is full: what is lost is counted."""
    store = Faulty()
    store.failing = True
    recorder = build_recorder(store, witness, patience_s=0.1)
    recorder.record(build_decision(1))
    recorder.record(build_decision(2))

    await recorder.aclose()

    assert witness.dropped == 2
    assert len(witness.errors) >= 2
    assert dropped_lines(caplog) == [2]


async def test_closing_gives_up_on_a_disk_that_hangs(witness):
    """A disk that does not answer is an error, not a process that does not end."""
    store = Hanging()
    recorder = build_recorder(store, witness, patience_s=0.05)
    recorder.record(build_decision(1))

    with pytest.raises(StoreError, match="hangs"):
        await recorder.aclose()

    assert witness.dropped == 1
    store.released.set()


async def test_closed_recorder_takes_nothing(witness, caplog):
    """An event that comes too late is counted as lost, feedback refused."""
    recorder = build_recorder(MemoryStore(), witness)
    await recorder.aclose()

    recorder.record(build_decision(1))

    assert (witness.dropped, recorder.pending) == (1, 0)
    with pytest.raises(StoreError, match="closed"):
        await recorder.record_durably(build_feedback("f", 1))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.fixture
def process(tmp_path):
    """Start a process that records decisions in a file, and end it."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("recorder_process.py"), tmp_path / "log.db"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("moment_s", [0.81, 1.27])
def test_kill_loses_only_the_last_moment(tmp_path, process, moment_s):
    """After kill -9 the file opens, and holds all that was recorded more than half a second before."""
    lines = [process.stdout.readline()]
    time.sleep(moment_s)
    killed = time.monotonic()
    process.kill()
    lines += process.stdout.read().splitlines()
    # The last line may be cut short.
    recorded = [(int(number), float(at)) for number, at in (line.split() for line in lines[:-1])]

    numbers = stored(tmp_path / "log.db")

    due = [number for number, at in recorded if at < killed - 0.5]
    assert len(due) > 20
    assert due == numbers[: len(due)]
    assert list(range(len(numbers))) == numbers
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_termination_loses_nothing(tmp_path, process):
    """After SIGTERM all that was recorded is there, and the write-ahead log is folded into the file."""
    lines = [process.stdout.readline()]
    time.sleep(0.3)
    process.terminate()
    lines += process.stdout.read().splitlines()

    assert process.wait(10) == 0
    assert lines[-1] == "closed"
    assert [int(line.split()[0]) for line in lines[:-1]] == stored(tmp_path / "log.db")
