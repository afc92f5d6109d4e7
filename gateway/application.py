"""The gateway as a whole: the configuration in force, and what outlives it (log, metrics, health)."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import generate_latest

from gateway.config.build import Lasting, open_runtime
from gateway.config.caching import open_shelf
from gateway.config.endpoints import health_checks, new_conditions, whole
from gateway.config.feedback import feedback_rules
from gateway.config.files import read_files
from gateway.config.listening import judging_rules, open_budget
from gateway.config.loader import ConfigError
from gateway.config.quotas import build_quotas
from gateway.deciding import World
from gateway.endpoints.fleet import Fleet
from gateway.endpoints.health_checks import HealthChecks
from gateway.entropy import Entropy
from gateway.exploration.budget import Budgets
from gateway.feedback.intake import Intake
from gateway.hedging.hedges import HEDGING, Hedges
from gateway.hedging.purse import Purse
from gateway.judging.sampling import least_chance
from gateway.latencies import Latencies
from gateway.learning.learning import Learning
from gateway.listening import Listening
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.promises.watches import Watches
from gateway.promotion.hearing import HeardRecorder
from gateway.promotion.monitor import Monitor
from gateway.promotion.promotions import Promotions
from gateway.promotion.register import LogRegister
from gateway.quotas.memory_ledger import MemoryLedger
from gateway.quotas.quotas import Quotas
from gateway.recorder import Recorder
from gateway.resources import Resources
from gateway.sessions import Sessions
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SQLiteStore
from gateway.workers.checks import refuse_unshared
from gateway.workers.sharing import TeamSharing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gateway.caching.shelf import Shelf
    from gateway.config.files import Files
    from gateway.config.models import GatewayConfig
    from gateway.implicit.memory import Memory
    from gateway.promotion.register import Register
    from gateway.quotas.ledger import Ledger
    from gateway.recorder import Recorder
    from gateway.runtime import Runtime
    from gateway.sharing.link import Link
    from gateway.sharing.sharing import Sharing
    from gateway.store.base import Store
    from gateway.workers.team import Team

logger = logging.getLogger("pointsman")

Part = TypeVar("Part")


class Gateway:
    """Serves with one runtime at a time; `reload` puts another in its place, or leaves it where it is."""

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str] = os.environ,
        *,
        learn: bool = True,
        team: Team | None = None,
    ) -> None:
        self.path = path
        self._team = team
        self.metrics = Metrics()
        self.stopping = False
        self._environment = environment
        self._resources = Resources()
        self._learning = Learning(path, environment, self.metrics, run=learn and self.leads, tells=self.leads)
        self._promotions = Promotions()
        self._monitor: Monitor | None = None
        self._watches: Watches | None = None
        self._fleet = Fleet()
        self._health_checks = HealthChecks(self._fleet)
        self._reloading = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()
        self._files: Files | None = None
        self._runtime: Runtime | None = None
        #: What was opened to be taken, once all workers have opened it.
        self._next: tuple[Files, Runtime] | None = None
        self._recorder: Recorder | None = None
        self._pipeline: Pipeline | None = None
        self._store: Store | None = None
        self._intake: Intake | None = None
        self._sharing: Sharing | None = None
        self._among: TeamSharing | None = None
        self._shelf: Shelf | None = None
        self._listening: Listening | None = None
        self._quotas: Quotas | None = None
        self._tending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the configuration and open all that it names, once. Raises `ConfigError` and `StoreError`."""
        if self._files is not None:
            return
        files = self._read()
        self._sharing = open_sharing(files, self._fleet, self.metrics)
        if self._sharing is None and self._team is not None:
            self._among = TeamSharing(self._team, self._fleet)
        self._store = await asyncio.to_thread(open_store, files)
        self._recorder = HeardRecorder(
            self._store,
            promotions=self._promotions,
            max_queue=files.config.store.max_queue,
            on_dropped=self.metrics.events_dropped.inc,
            on_error=lambda _: self.metrics.store_errors.inc(),
        )
        self._recorder.start()
        self._intake = Intake(self._recorder, self._store, self.metrics)
        shared = self._sharing or self._among
        sessions = shared.sessions if shared else Sessions()
        ledger = self._among.ledger if self._among else open_ledger(files.config, self._sharing)
        self._quotas = Quotas((), ledger, longest_s=0)
        rng, budgets, hedges = Entropy(), Budgets(ledger), Hedges(Purse(Budgets(ledger, HEDGING)))
        world = World(self._fleet, sessions, Latencies(), rng, self._quotas, budgets, self._promotions, hedges)
        self._pipeline = Pipeline(self._recorder, self.metrics, world)
        budget = self._among.budget if self._among else open_budget(self._link)
        self._listening = Listening(self._recorder, self.metrics, world, self._remembering(), budget)
        try:
            self._take(files, await self._open_runtime(files))
            await self._learning.take(files, self.runtime)
        except BaseException:
            await self._close_what_lasts()
            raise
        if self._sharing is not None:
            self._sharing.start(lambda: self.runtime.digest)
        if self._among is not None:
            await self._among.start()
        self._tending = asyncio.ensure_future(self._quotas.run())
        self._learning.start()
        await self._watch(self._recorder, self._store)

    async def _watch(self, recorder: Recorder, store: Store) -> None:
        """Begin to watch candidates and promises, by what the log tells."""
        register = open_register(self._sharing, recorder, store)
        self._monitor = Monitor(self._promotions, register, store, self.metrics)
        await self._monitor.start()
        self._watches = Watches(lambda: self.runtime.policies.policies, self._least_judged, store, self.metrics)
        await self._watches.start()

    async def aclose(self) -> None:
        """Close everything, in reverse; what was logged is on disk afterwards. Closing twice is harmless."""
        self.stopping = True
        await self._health_checks.aclose()
        await self._learning.aclose()
        if self._watches is not None:
            await self._watches.aclose()
        if self._monitor is not None:
            await self._monitor.aclose()
        runtime, self._runtime = self._runtime, None
        await self.abandon()
        if runtime is not None:
            await runtime.aclose(patience_s=0)
        for task in self._retired:
            task.cancel()
        await asyncio.gather(*self._retired, return_exceptions=True)
        await self._close_what_lasts()

    async def _close_what_lasts(self) -> None:
        """Close what outlives a configuration."""
        if self._pipeline is not None:
            await self._pipeline.aclose()
        if self._listening is not None:
            await self._listening.aclose()
        if self._intake is not None:
            await self._intake.aclose()
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
            await _opened(self._quotas).tend(datetime.now(UTC))  # Redis is told what is still to be told
        if self._sharing is not None:
            await self._sharing.aclose()
        if self._among is not None:
            await self._among.aclose()
        if self._recorder is not None:
            await self._recorder.aclose()

    async def _open_runtime(self, files: Files) -> Runtime:
        if self._shelf is None:
            self._shelf = open_shelf(files.config.cache, self._link)
        lasting = Lasting(self._resources, self.metrics, self._link, self._shelf, self._listening)
        runtime = await open_runtime(files, self._environment, lasting)
        try:
            await self._learning.prepare(files, runtime)
        except BaseException:
            await runtime.aclose(patience_s=0)
            raise
        return runtime

    @property
    def _link(self) -> Link | None:
        return self._sharing.link if self._sharing else None

    def _remembering(self) -> Callable[[float, bytes], Memory] | None:
        """Return what opens a memory that is shared with replicas or workers, None where there are none."""
        if self._among is not None:
            return self._among.memory
        if self._sharing is None:
            return None
        return partial(import_module("gateway.implicit.shared_memory").SharedMemory, self._sharing.link)

    async def reload(self) -> bool:
        """Take the configuration on disk; return whether it was taken. Of several workers all take it, or none.

        A bad one is refused whole: the last good one goes on serving, and the log and a metric say so.
        """
        if self._team is not None:
            return await self._team.reload()
        async with self._reloading:
            if await self.prepare() is None:
                return False
            await self.commit()
            return True

    async def prepare(self) -> str | None:
        """Open the configuration on disk, unless it is in force, to be committed or abandoned.

        Return its digest, None for a bad one.
        """
        try:
            files = self._read()
            if files.digest != self.runtime.digest:
                self._refuse_fixed_changes(files)
                self._next = files, await self._open_runtime(files)
        except ConfigError as error:
            logger.error("config.refused", extra={"reason": str(error)})  # noqa: TRY400 - the message says where
            self._count_reload("refused")
            self.metrics.config_ok.set(0)
            return None
        return files.digest

    async def commit(self) -> None:
        """Put what was prepared in force."""
        found, self._next = self._next, None
        if found is None:
            self.metrics.config_ok.set(1)  # it may have been worse in between
            return
        files, runtime = found
        self._retire(self.runtime)
        self._take(files, runtime)
        await self._learning.take(files, runtime)
        self._count_reload("taken")
        logger.info("config.taken", extra={"digest": runtime.digest[:12]})

    async def abandon(self) -> None:
        """Close what was prepared, if anything: another worker cannot take it, or has read another."""
        found, self._next = self._next, None
        if found is not None:
            await found[1].aclose(patience_s=0)

    @property
    def leads(self) -> bool:
        """Tell whether this process does what one does for all workers."""
        return self._team is None or self._team.leads

    async def exposition(self) -> bytes:
        """Return the metrics in Prometheus' text format, those of all workers together."""
        return generate_latest(self.metrics.registry) if self._team is None else await self._team.metrics()

    def _read(self) -> Files:
        """Return the configuration on disk. Raises `ConfigError`, also where it cannot be shared by the workers."""
        files = read_files(self.path, self._environment)
        if self._team is not None:
            refuse_unshared(files, self._team.place.count)
        return files

    def _count_reload(self, result: str) -> None:
        if self.leads:  # what all have tried was one attempt
            self.metrics.reloads.labels(result).inc()

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
    def intake(self) -> Intake:
        """Return what takes feedback."""
        return _opened(self._intake)

    @property
    def promotions(self) -> Promotions:
        """Return the promotions under way."""
        return self._promotions

    @property
    def monitor(self) -> Monitor:
        """Return what moves candidates."""
        return _opened(self._monitor)

    @property
    def pipeline(self) -> Pipeline:
        """Return what takes requests through their life."""
        return _opened(self._pipeline)

    def _least_judged(self, policy: str) -> float:
        """Return the smallest chance that an answer under a policy has to be judged."""
        config = self.files.config.judging
        return 1.0 if config is None else least_chance(judging_rules(config), policy)

    def _take(self, files: Files, runtime: Runtime) -> None:
        self._files, self._runtime = files, runtime
        self.intake.rules = feedback_rules(files.config.feedback)
        self._promotions.take(runtime.policies.policies, self.intake.rules.rewards)
        _opened(self._quotas).replace(build_quotas(files.config.quotas), longest_s=longest_s(runtime))
        endpoints = {model: backend.endpoints for model, backend in runtime.backends.items()}
        share = self._team.place.share if self._team else whole
        self._fleet.take(endpoints, new_conditions(files.config, runtime.backends, share))
        self._health_checks.start(health_checks(files.config, runtime.backends))
        self.metrics.config_ok.set(1)
        self.metrics.config_info.clear()
        self.metrics.config_info.labels(runtime.digest).set(1)

    def _retire(self, runtime: Runtime) -> None:
        """Close a runtime once its last request has ended."""
        task = asyncio.ensure_future(runtime.aclose(longest_s(runtime)))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def _refuse_fixed_changes(self, files: Files) -> None:
        """Raise `ConfigError` where what cannot change while running has changed."""
        for section in ("server", "store", "redis", "cache"):
            if getattr(files.config, section) != getattr(self.files.config, section):
                raise files.document.error((section,), "cannot change while the gateway runs: restart it")


def longest_s(runtime: Runtime) -> float:
    """Return how long a request may take at most."""
    routes = [route for policy in runtime.policies.policies.values() for route in policy.routes()]
    # Models are asked by their own name, too.
    return max(limit.total_s for limit in [runtime.policies.timeouts, *(route.timeouts for route in routes)])


def open_ledger(config: GatewayConfig, sharing: Sharing | None) -> Ledger:
    """Return where quotas are counted: with all replicas, or in this process."""
    if config.redis is None or sharing is None:
        return MemoryLedger()
    module = import_module("gateway.quotas.shared")
    ledger: Ledger = module.shared_ledger(sharing.link, replica=sharing.replica, away=config.redis.quotas)
    return ledger


def open_register(sharing: Sharing | None, recorder: Recorder, log: Store) -> Register:
    """Return where it is written down how far candidates have come: with all replicas, or in the log alone."""
    if sharing is None:
        return LogRegister(recorder, log)
    module = import_module("gateway.sharing.promotions")
    register: Register = module.SharedRegister(sharing.link, sharing.replica, recorder, log)
    return register


def open_sharing(files: Files, fleet: Fleet, metrics: Metrics) -> Sharing | None:
    """Return what is shared with other replicas, None where there are none. Raises `ConfigError`."""
    if files.config.redis is None:
        return None
    module = import_module("gateway.sharing.sharing")  # nothing else needs Redis' client
    try:
        sharing: Sharing = module.Sharing(files.config.redis, fleet, metrics)
    except ValueError as error:
        # The address may hold a password, so neither it nor what is said of it is repeated.
        said = "is no address of Redis: write redis://HOST:PORT/DATABASE, rediss:// or unix://"
        raise files.document.error(("redis", "url"), said) from error
    return sharing


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
