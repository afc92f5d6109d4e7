"""Extracts signals within a deadline: those that are wanted, side by side, and none twice."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.signals.wanted import Wanted, wanted_of
from gateway.standing_back import stand_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.metrics import Metrics
    from gateway.signals.base import Request, Signal
    from gateway.signals.embedding import Embedder
    from routers.types import Feature, FloatArray

logger = logging.getLogger("pointsman")

#: The one signal that is not made of features.
EMBEDDING = "embedding"
#: Part of the deadline that the embedding has where signals read it: those that do without it need some time, too.
EMBEDDING_SHARE = 0.8
#: Threads for signals that take longer than the event loop may be held.
THREADS = 2
#: Sets of wanted signals that are kept resolved: more than a configuration has, with what was tried of them before.
MAX_RESOLVED = 1024


@dataclass(slots=True)
class Readings:
    """What has been found out about one request so far.

    `seconds` is what each signal took. `missed` are those that did not come in time, or failed: they are absent.
    """

    features: dict[str, Feature] = field(default_factory=dict)
    embedding: FloatArray | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)


class Signals:
    """The signals of a configuration. `embedder` is None where nothing needs an embedding."""

    def __init__(
        self, signals: Iterable[Signal], embedder: Embedder | None, deadline_s: float, metrics: Metrics
    ) -> None:
        self.known: Mapping[str, Signal] = {signal.name: signal for signal in signals}
        self._embedder = embedder
        self._deadline_s = deadline_s
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="signals", initializer=stand_back)
        self._resolved: dict[frozenset[str], Wanted] = {}

    def close(self) -> None:
        """End the threads; what is under way in them is finished by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def take(self, known: Mapping[str, Signal]) -> None:
        """Take other signals, by their names."""
        self.known, self._resolved = known, {}

    def extract_now(self, request: Request, wanted: frozenset[str], readings: Readings) -> bool:
        """Add the wanted signals to the readings, except those that were tried before, and return True.

        Where one of them blocks, or an embedding is wanted that is not had at once, nothing is read: `extract` has to
        be awaited instead.
        """
        if readings.seconds and wanted <= readings.seconds.keys():
            return True
        signals = self._wanted(wanted, readings)
        if not signals.now or (signals.embedding and not self._embedded(request.text, readings)):
            return False
        self._read_here(signals.here, request, readings)
        if signals.here_last:
            self._read_here(signals.here_last, request, readings)
        return True

    async def extract(self, request: Request, wanted: frozenset[str], readings: Readings, began: float) -> None:
        """Add the wanted signals to the readings, except those that were tried before.

        The deadline counts from `began`, in seconds of the monotonic clock. A signal that misses it is absent, and
        one that reads the embedding goes without where that is absent.
        """
        if self.extract_now(request, wanted, readings):
            return
        signals = self._wanted(wanted, readings)
        tasks = self._started(signals.in_threads, request, readings)
        try:
            embedding = self._embedding(request.text, readings) if signals.embedding else {}
            self._read_here(signals.here, request, readings)
            share = EMBEDDING_SHARE if signals.here_last or signals.in_threads_last else 1.0
            await self._wait(embedding, readings, began + share * self._deadline_s)
            self._read_here(signals.here_last, request, readings)
            tasks |= self._started(signals.in_threads_last, request, readings)
        finally:
            await self._wait(tasks, readings, began + self._deadline_s)

    def _wanted(self, wanted: frozenset[str], readings: Readings) -> Wanted:
        """Return what is to be read that was not tried before."""
        if readings.seconds or readings.missed:
            wanted = wanted.difference(readings.seconds, readings.missed)
        resolved = self._resolved.get(wanted)
        if resolved is None:
            if len(self._resolved) >= MAX_RESOLVED:
                self._resolved.clear()
            embedding = None if self._embedder is None else EMBEDDING
            resolved = self._resolved[wanted] = wanted_of(wanted, self.known, embedding)
        return resolved

    def _embedded(self, text: str, readings: Readings) -> bool:
        """Tell whether the embedding need not be waited for: it was tried before, or is had at once."""
        if EMBEDDING in readings.seconds or EMBEDDING in readings.missed or self._embedder is None:
            return True
        started = time.monotonic()
        try:
            readings.embedding = self._embedder.at_once(text)
        except Exception as error:  # noqa: BLE001 - as with any other signal
            self._failed(EMBEDDING, readings, error)
            return True
        if readings.embedding is None:
            return False
        readings.seconds[EMBEDDING] = time.monotonic() - started
        return True

    def _embedding(self, text: str, readings: Readings) -> dict[str, asyncio.Future[None]]:
        """Begin to embed the text, if that was not tried before, and something embeds."""
        if EMBEDDING in readings.seconds or EMBEDDING in readings.missed or self._embedder is None:
            return {}
        return {EMBEDDING: asyncio.ensure_future(self._embed(self._embedder, text, readings))}

    def _started(
        self, signals: Iterable[Signal], request: Request, readings: Readings
    ) -> dict[str, asyncio.Future[None]]:
        """Begin to read signals in threads."""
        return {s.name: asyncio.ensure_future(self._in_thread(s, request, readings)) for s in signals}

    def _read_here(self, signals: Iterable[Signal], request: Request, readings: Readings) -> None:
        features, seconds, clock = readings.features, readings.seconds, time.monotonic
        began = clock()
        for signal in signals:
            try:
                features |= signal.read(request, readings.embedding)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a signal, the request goes on without it
                self._failed(signal.name, readings, error)
                began = clock()
            else:
                ended = clock()
                seconds[signal.name] = ended - began
                began = ended

    async def _in_thread(self, signal: Signal, request: Request, readings: Readings) -> None:
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, signal.read, request, readings.embedding)
        readings.features |= found
        readings.seconds[signal.name] = time.monotonic() - started

    async def _embed(self, embedder: Embedder, text: str, readings: Readings) -> None:
        started = time.monotonic()
        readings.embedding = await embedder.embed(text)
        readings.seconds[EMBEDDING] = time.monotonic() - started

    async def _wait(self, tasks: Mapping[str, asyncio.Future[None]], readings: Readings, until: float) -> None:
        """Wait until a deadline. Who is late is cancelled: what its thread finds out then is lost."""
        if not tasks:
            return
        left_s = max(0.0, until - time.monotonic())
        try:
            await asyncio.wait(tasks.values(), timeout=left_s)
        finally:
            for task in tasks.values():
                task.cancel()
        for name, task in tasks.items():
            # One that is cancelled already was given up when the threads were closed.
            if not task.done() or task.cancelled():
                self._metrics.signals_missed.labels(name).inc()
                readings.missed.add(name)
            elif (error := task.exception()) is not None:
                self._failed(name, readings, error)

    def _failed(self, name: str, readings: Readings, error: BaseException) -> None:
        logger.error("signal.failed", extra={"signal": name, "reason": str(error)}, exc_info=error)
        self._metrics.signals_failed.labels(name).inc()
        readings.missed.add(name)
