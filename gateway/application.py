"""The gateway as a whole: the configuration in force, and what outlives it (log, metrics, health)."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from typing import TYPE_CHECKING, TypeVar

from gateway.config.build import open_runtime
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.deciding import World
from gateway.health import Health
from gateway.latencies import Latencies
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.recorder import Recorder
from gateway.resources import Resources
from gateway.sessions import Sessions
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.files import Files
    from gateway.runtime import Runtime
    from gateway.store.base import Store

logger = logging.getLogger("pointsman")

Part = TypeVar("Part")


class Gateway:
    """Serves with one runtime at a time; `reload` puts another in its place, or leaves it where it is."""

    def __init__(self, path: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.path = path
        self.metrics = Metrics()
        self.stopping = False
        self._environment = environment
        self._resources = Resources()
        self._world = World(Health(), Sessions(), Latencies(), random.SystemRandom())
        self._reloading = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()
        self._files: Files | None = None
        self._runtime: Runtime | None = None
        self._recorder: Recorder | None = None
        self._pipeline: Pipeline | None = None
        self._store: Store | None = None

    async def open(self) -> None:
        """Read the configuration and open all that it names, once. Raises `ConfigError` and `StoreError`."""
        if self._files is not None:
            return
        files = read_files(self.path, self._environment)
        self._store = await asyncio.to_thread(open_store, files)
        self._recorder = Recorder(
            self._store,
            max_queue=files.config.store.max_queue,
            on_dropped=self.metrics.events_dropped.inc,
            on_error=lambda _: self.metrics.store_errors.inc(),
        )
        self._recorder.start()
        self._pipeline = Pipeline(self._recorder, self.metrics, self._world)
        try:
            self._take(files, await open_runtime(files, self._environment, self._resources, self.metrics))
        except BaseException:
            await self._recorder.aclose()
            raise

    async def aclose(self) -> None:
        """Close everything, in reverse; what was logged is on disk afterwards. Closing twice is harmless."""
        self.stopping = True
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await runtime.aclose(patience_s=0)
        for task in self._retired:
            task.cancel()
        await asyncio.gather(*self._retired, return_exceptions=True)
        if self._recorder is not None:
            await self._recorder.aclose()

    async def reload(self) -> bool:
        """Take the configuration on disk; return whether it was taken.

        A bad one is refused whole: the last good one goes on serving, and the log and a metric say so.
        """
        async with self._reloading:
            try:
                files = read_files(self.path, self._environment)
                if files.digest == self.runtime.digest:
                    self.metrics.config_ok.set(1)  # it may have been worse in between
                    return True
                self._refuse_fixed_changes(files)
                runtime = await open_runtime(files, self._environment, self._resources, self.metrics)
            except ConfigError as error:
                logger.error("config.refused", extra={"reason": str(error)})  # noqa: TRY400 - the message says where
                self.metrics.reloads.labels("refused").inc()
                self.metrics.config_ok.set(0)
                return False
            self._retire(self.runtime)
            self._take(files, runtime)
            self.metrics.reloads.labels("taken").inc()
            logger.info("config.taken", extra={"digest": runtime.digest[:12]})
            return True

    @property
    def runtime(self) -> Runtime:
        """Return the runtime in force."""
        return _opened(self._runtime)

    @property
    def files(self) -> Files:
        """Return the configuration in force, as it was read."""
        return _opened(self._files)

    @property
    def log(self) -> Store:
        """Return the log, for reading."""
        return _opened(self._store)

    @property
    def recorder(self) -> Recorder:
        """Return the way to the log."""
        return _opened(self._recorder)

    @property
    def pipeline(self) -> Pipeline:
        """Return what takes requests through their life."""
        return _opened(self._pipeline)

    def _take(self, files: Files, runtime: Runtime) -> None:
        self._files, self._runtime = files, runtime
        self.metrics.config_ok.set(1)
        self.metrics.config_info.clear()
        self.metrics.config_info.labels(runtime.digest).set(1)

    def _retire(self, runtime: Runtime) -> None:
        """Close a runtime once its last request has ended."""
        routes = [route for policy in runtime.policies.policies.values() for route in policy.routes()]
        # Models are asked by their own name, too.
        limits = [runtime.policies.timeouts, *(route.timeouts for route in routes)]
        longest_s = max(limit.total_s for limit in limits)
        task = asyncio.ensure_future(runtime.aclose(longest_s))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def _refuse_fixed_changes(self, files: Files) -> None:
        """Raise `ConfigError` where what cannot change while running has changed."""
        for section in ("server", "store"):
            if getattr(files.config, section) != getattr(self.files.config, section):
                raise files.document.error((section,), "cannot change while the gateway runs: restart it")


def open_store(files: Files, *, read_only: bool = False) -> Store:
    """Open the log that the configuration names. Raises `StoreError`."""
    config = files.config.store
    if config.type == "memory":
        return MemoryStore()
    return SQLiteStore.open(files.path.parent / config.path, read_only=read_only)


def _opened(part: Part | None) -> Part:
    if part is None:
        raise RuntimeError("the gateway is not open")
    return part
