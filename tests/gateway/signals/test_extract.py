from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
import pytest

from gateway.metrics import Metrics
from gateway.signals.base import Kind, Request
from gateway.signals.embedding import Embedder
from gateway.signals.extract import EMBEDDING, MAX_RESOLVED, THREADS, Readings, Signals

REQUEST = Request({}, "hello", datetime(2026, 1, 1, tzinfo=UTC))
#: Long enough for a busy machine.
AMPLE_S = 5.0


class Reading:
    """A signal that notes when it was read, and with which embedding."""

    provides: ClassVar = {"x": Kind.NUMBER}

    def __init__(self, name, *, blocking=False, reads_embedding=False, gate=None, takes_s=0.0, error=None):
        self.name, self.blocking, self.reads_embedding = name, blocking, reads_embedding
        self.gate, self.takes_s, self.error = gate, takes_s, error
        self.embeddings = []
        self.finished = threading.Event()

    def read(self, request, embedding):
        assert request is REQUEST
        self.embeddings.append(embedding)
        if self.gate is not None:
            assert self.gate.wait(10)
        time.sleep(self.takes_s)
        self.finished.set()
        if self.error is not None:
            raise self.error
        return {self.name: 1.0}


class Encoding:
    """An encoder that counts its texts, and waits for its gate."""

    name, dimension, digest, max_tokens = "encoding", 2, "0" * 64, 8

    def __init__(self, gate=None, error=None):
        self.gate, self.error, self.texts = gate, error, []

    def encode(self, texts):
        self.texts += texts
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return np.ones((len(texts), 2), np.float32)


@pytest.fixture
async def build():
    """Return a function that builds signals; all gates open, and all threads end, when the test does."""
    made, gates = [], []

    def build(*signals, encoder=None, deadline_s=AMPLE_S):
        embedder = Embedder(encoder, cache_entries=0) if encoder else None
        gates.extend(part.gate for part in (*signals, encoder) if part is not None and part.gate is not None)
        metrics = Metrics()
        made.append((Signals(signals, embedder, deadline_s, metrics), embedder))
        made[-1][0].registry = metrics.registry
        return made[-1][0]

    yield build
    for gate in gates:
        gate.set()
    for signals, embedder in made:
        signals.close()
        if embedder is not None:
            await embedder.aclose()


async def extract(signals, *wanted, readings=None):
    """Return what is read of the wanted signals."""
    readings = Readings() if readings is None else readings
    await signals.extract(REQUEST, frozenset(wanted), readings, time.monotonic())
    return readings


def counted(signals, what, signal):
    return signals.registry.get_sample_value(f"pointsman_signals_{what}_total", {"signal": signal})


async def test_only_what_is_wanted_is_read(build):
    """Others are not touched, and neither is the encoder."""
    here, there, encoder = Reading("here"), Reading("there", blocking=True), Encoding()
    readings = await extract(build(here, there, encoder=encoder), "here", "unheard-of")

    assert ({"here": 1.0}, {"here"}, set(), None) == (
        readings.features,
        {*readings.seconds},
        readings.missed,
        readings.embedding,
    )
    assert ([], []) == (there.embeddings, encoder.texts)


@pytest.mark.parametrize("blocking", [False, True])
async def test_what_reads_the_embedding_brings_it_about(build, blocking):
    """The embedding comes first, and its signal sees it."""
    reader, encoder = Reading("reader", blocking=blocking, reads_embedding=True), Encoding()
    readings = await extract(build(reader, encoder=encoder), "reader")

    assert [[1, 1]] == [vector.tolist() for vector in reader.embeddings]
    assert {"reader", EMBEDDING} == {*readings.seconds}
    assert ["hello"] == encoder.texts


async def test_slow_signals_run_side_by_side(build):
    """Two in threads and the embedding wait for each other: in turn, none would ever end."""
    meeting = threading.Barrier(3)
    gate = _Meeting(meeting)
    signals = build(
        Reading("a", blocking=True, gate=gate), Reading("b", blocking=True, gate=gate), encoder=Encoding(gate)
    )
    readings = await extract(signals, "a", "b", EMBEDDING)

    assert {"a": 1.0, "b": 1.0} == readings.features
    assert set() == readings.missed
    assert 2 == THREADS


class _Meeting:
    """A gate that opens when all have come to it."""

    def __init__(self, barrier):
        self.barrier = barrier

    def wait(self, timeout):
        self.barrier.wait(timeout)
        return True

    def set(self):
        """Open for those who wait in vain."""
        self.barrier.abort()


async def test_the_loop_is_free_while_threads_work(build):
    """A slow signal holds nobody up but its own request."""
    gate = threading.Event()
    task = asyncio.create_task(extract(build(Reading("a", blocking=True, gate=gate)), "a"))
    await asyncio.sleep(0.01)
    gate.set()

    assert {"a": 1.0} == (await task).features


@pytest.mark.parametrize("which", ["blocking", "embedding", "both"])
async def test_who_is_late_is_absent_and_counted(build, which):
    """The deadline holds, however slow a thread or the encoder is; those in time are there."""
    gate = threading.Event()
    slow = Reading("slow", blocking=True, gate=gate if which != "embedding" else None)
    encoder = Encoding(gate if which != "blocking" else None)
    late = {"blocking": {"slow"}, "embedding": {EMBEDDING}, "both": {"slow", EMBEDDING}}[which]
    signals = build(slow, Reading("here"), encoder=encoder, deadline_s=0.3)
    began = time.monotonic()
    readings = await extract(signals, "slow", "here", EMBEDDING)

    assert 0.25 < time.monotonic() - began < 3
    assert (late, 1.0) == (readings.missed, readings.features["here"])
    assert (readings.embedding is None) == (EMBEDDING in late)
    assert {1.0} == {counted(signals, "missed", name) for name in late}
    assert late.isdisjoint(readings.seconds)


async def test_what_comes_late_never_appears(build):
    """Neither in the readings of its request, nor anywhere else."""
    gate = threading.Event()
    slow = Reading("slow", blocking=True, gate=gate)
    readings = await extract(build(slow, encoder=Encoding(gate), deadline_s=0.05), "slow", EMBEDDING)
    gate.set()
    assert await asyncio.to_thread(slow.finished.wait, 10)
    await asyncio.sleep(0.05)

    assert ({}, None, {}) == (readings.features, readings.embedding, readings.seconds)


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_signal_goes_without_an_embedding_that_is_late(build, blocking):
    """It says what it can without; in a thread there is no time left for it."""
    gate = threading.Event()
    reader = Reading("reader", blocking=blocking, reads_embedding=True)
    readings = await extract(build(reader, encoder=Encoding(gate), deadline_s=0.05), "reader")

    assert [None] * len(reader.embeddings) == reader.embeddings
    assert EMBEDDING in readings.missed
    assert blocking or [None] == reader.embeddings


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_signal_that_fails_is_absent_counted_and_logged(build, caplog, blocking):
    """The request goes on with the others."""
    bad = Reading("bad", blocking=blocking, error=ArithmeticError("no such number"))
    signals = build(bad, Reading("good", blocking=True))
    readings = await extract(signals, "bad", "good")

    assert ({"good": 1.0}, {"bad"}) == (readings.features, readings.missed)
    assert (1.0, None) == (counted(signals, "failed", "bad"), counted(signals, "missed", "bad"))
    (record,) = [record for record in caplog.records if record.getMessage() == "signal.failed"]
    assert ("bad", "no such number") == (record.signal, record.reason)


async def test_an_encoder_that_fails_leaves_no_embedding(build, caplog):
    """Who reads it goes without."""
    reader = Reading("reader", reads_embedding=True)
    signals = build(reader, encoder=Encoding(error=ArithmeticError("broken")))
    readings = await extract(signals, "reader")

    assert ([None], {EMBEDDING}, {"reader": 1.0}) == (reader.embeddings, readings.missed, readings.features)
    assert 1.0 == counted(signals, "failed", EMBEDDING)
    assert ["signal.failed"] == [record.getMessage() for record in caplog.records]


async def test_nothing_is_extracted_twice(build):
    """What was read, missed or failed before the rules is not tried again for the router."""
    readers = [
        Reading("here"),
        Reading("there", blocking=True),
        Reading("failed", error=ArithmeticError()),
        Reading("reader", reads_embedding=True),
        Reading("second", reads_embedding=True),
    ]
    encoder = Encoding()
    signals = build(*readers, encoder=encoder)
    readings = await extract(signals, "here", "there", "failed", "reader")
    taken = dict(readings.seconds)
    await extract(signals, "here", "there", "failed", "reader", "second", EMBEDDING, readings=readings)

    assert [1] * 5 == [len(reader.embeddings) for reader in readers]
    assert ["hello"] == encoder.texts
    assert readers[4].embeddings[0] is readings.embedding is not None
    assert taken == {name: s for name, s in readings.seconds.items() if name != "second"}


def extracted_now(signals, *wanted, readings):
    return signals.extract_now(REQUEST, frozenset(wanted), readings)


async def test_what_needs_no_waiting_is_read_at_once(build):
    """No coroutine has to run for it, and a failure is what it always is."""
    here, bad = Reading("here"), Reading("bad", error=ArithmeticError("no such number"))
    signals, readings = build(here, bad, encoder=Encoding()), Readings()

    assert extracted_now(signals, "here", "bad", "unheard-of", readings=readings)
    assert ({"here": 1.0}, {"here"}, {"bad"}) == (readings.features, {*readings.seconds}, readings.missed)
    assert 1.0 == counted(signals, "failed", "bad")
    assert readings.seconds["here"] >= 0


@pytest.mark.parametrize("slow", ["blocking", "reader", EMBEDDING])
async def test_what_needs_waiting_is_not_begun_at_once(build, slow):
    """Nothing is read then, so that the slow ones can be begun first."""
    here, encoder = Reading("here"), Encoding()
    signals = build(here, Reading("blocking", blocking=True), Reading("reader", reads_embedding=True), encoder=encoder)
    readings = Readings()

    assert not extracted_now(signals, "here", slow, readings=readings)
    assert ([], [], {}) == (here.embeddings, encoder.texts, readings.seconds)
    assert slow in (await extract(signals, "here", slow, readings=readings)).seconds
    assert extracted_now(signals, "here", slow, readings=readings)
    assert [None] == here.embeddings


async def test_where_nothing_embeds_nobody_waits_for_an_embedding(build):
    """Who reads it goes without, at once."""
    reader = Reading("reader", reads_embedding=True)
    readings = Readings()

    assert extracted_now(build(reader), "reader", EMBEDDING, readings=readings)
    assert ([None], {"reader": 1.0}, set()) == (reader.embeddings, readings.features, readings.missed)


async def test_what_was_tried_is_not_read_again_at_once(build):
    """Whether it was found, or failed."""
    readers = [Reading("here"), Reading("failed", error=ArithmeticError()), Reading("second")]
    signals, readings = build(*readers), Readings()

    assert extracted_now(signals, "here", "failed", readings=readings)
    assert extracted_now(signals, "here", "failed", "second", readings=readings)
    assert [1, 1, 1] == [len(reader.embeddings) for reader in readers]


async def test_any_number_of_different_wishes_is_served(build):
    """What is kept of them is bounded, and forgotten together."""
    signals = build(Reading("here"))
    for number in range(2 * MAX_RESOLVED):
        readings = Readings()
        assert extracted_now(signals, "here", f"unheard-of-{number}", readings=readings)
        assert {"here": 1.0} == readings.features


async def test_an_embedding_that_was_late_is_not_tried_again(build):
    """The deadline counts once, from the request's beginning."""
    gate = threading.Event()
    encoder, reader = Encoding(gate), Reading("reader", reads_embedding=True)
    signals = build(reader, encoder=encoder, deadline_s=0.05)
    readings = await extract(signals, EMBEDDING)
    await extract(signals, EMBEDDING, "reader", readings=readings)

    assert (["hello"], [None]) == (encoder.texts, reader.embeddings)
    assert 1.0 == counted(signals, "missed", EMBEDDING)


async def test_the_deadline_counts_from_the_beginning(build):
    """Who comes late has no time left."""
    gate = threading.Event()
    signals = build(Reading("slow", blocking=True, gate=gate))
    readings, began = Readings(), time.monotonic()
    await signals.extract(REQUEST, frozenset({"slow"}), readings, began - AMPLE_S)

    assert {"slow"} == readings.missed
    assert time.monotonic() - began < AMPLE_S / 2


async def test_signals_that_are_closed_are_missed(build):
    """A request that is still deciding when its configuration is given up goes on without them."""
    gate = threading.Event()
    slow = [Reading(f"slow-{n}", blocking=True, gate=gate) for n in range(THREADS + 2)]
    signals = build(*slow)
    task = asyncio.create_task(extract(signals, *(one.name for one in slow)))
    await asyncio.sleep(0.05)
    signals.close()
    gate.set()
    readings = await task

    assert {one.name for one in slow[:THREADS]} == {*readings.features}
    assert {one.name for one in slow[THREADS:]} == readings.missed
    assert {"slow-0"} == (await extract(signals, "slow-0")).missed


async def test_whoever_leaves_takes_its_work_along(build):
    """A request that is cancelled while signals are read is cancelled, and its threads' results are dropped."""
    gate = threading.Event()
    slow = Reading("slow", blocking=True, gate=gate)
    readings = Readings()
    task = asyncio.create_task(extract(build(slow), "slow", readings=readings))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    assert await asyncio.to_thread(slow.finished.wait, 10)
    await asyncio.sleep(0.02)

    assert {} == readings.features


class QuickEncoding(Encoding):
    """An encoder that no text has to wait for."""

    def is_quick(self, text):
        """Tell that it is."""
        del text
        return True


async def test_a_quick_embedding_is_read_now(build):
    """Nothing has to be awaited, and what reads it sees it."""
    first, reader, encoder = Reading("first"), Reading("reader", reads_embedding=True), QuickEncoding()
    signals, readings = build(first, reader, encoder=encoder), Readings()

    assert signals.extract_now(REQUEST, frozenset({"first", "reader", EMBEDDING}), readings)
    assert [1, 1] == readings.embedding.tolist() == reader.embeddings[0].tolist()
    assert {"first", "reader", EMBEDDING} == readings.seconds.keys()
    assert signals.extract_now(REQUEST, frozenset({EMBEDDING}), readings)
    assert ["hello"] == encoder.texts


async def test_a_quick_embedding_that_fails_is_missed(build):
    """The request goes on without it, and it is counted."""
    signals, readings = build(encoder=QuickEncoding(error=ArithmeticError("bad"))), Readings()

    assert signals.extract_now(REQUEST, frozenset({EMBEDDING}), readings)
    assert ({EMBEDDING}, 1) == (readings.missed, counted(signals, "failed", EMBEDDING))


async def test_an_embedding_that_takes_its_time_is_not_read_now(build):
    """Nothing is read: it has to be awaited."""
    first, encoder = Reading("first"), Encoding()
    signals, readings = build(first, encoder=encoder), Readings()

    assert not signals.extract_now(REQUEST, frozenset({"first", EMBEDDING}), readings)
    assert ([], []) == (first.embeddings, encoder.texts)
