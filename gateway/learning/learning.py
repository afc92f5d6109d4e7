"""What a gateway has to do with learning: it has a learner run, and takes what comes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from gateway.learning.child import Child
from gateway.learning.following import Following
from gateway.learning.places import beside
from gateway.learning.snapshots import Snapshots
from gateway.learning.status import Status
from gateway.learning.subjects import rules_of, subjects_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gateway.config.files import Files
    from gateway.learning.subjects import Subject
    from gateway.metrics import Metrics
    from gateway.runtime import Runtime

logger = logging.getLogger("pointsman")

#: Seconds between two looks for what was learned.
POLL_S: Final = 1.0


class Learning:
    """Follows a learner, for as long as the gateway is open.

    `run` says whether it may have one of its own, `tells` whether it counts what failed there: of several who follow
    one learner, one does.
    """

    def __init__(
        self, path: Path, environment: Mapping[str, str], metrics: Metrics, *, run: bool, tells: bool = True
    ) -> None:
        self._metrics = metrics
        self._tells = tells
        self._run = run
        self._child = Child(path, environment, self._died)
        self._folder: Path | None = None
        self._prepared: tuple[Runtime, Following] | None = None
        self._force: tuple[Runtime, Following] | None = None
        self._status: Status | None = None
        self._task: asyncio.Task[None] | None = None

    async def prepare(self, files: Files, runtime: Runtime) -> None:
        """Give a runtime what was learned so far, before it serves. Raises `ConfigError`."""
        self._prepared = None
        subjects = await asyncio.to_thread(_subjects, files)
        if not subjects or files.config.store.type == "memory":
            _refuse_memory(subjects)
            return
        following = Following(Snapshots(beside(files).snapshots), subjects, runtime.policies, self._metrics)
        if (policies := await asyncio.to_thread(following.poll)) is not None:
            runtime.decider.policies = policies
        self._prepared = runtime, following

    async def take(self, files: Files, runtime: Runtime) -> None:
        """Follow for the runtime that is in force now, and have a learner run where one is needed."""
        learns = self._prepared is not None and self._prepared[0] is runtime
        self._force = self._prepared if learns else None
        self._folder = beside(files).snapshots if learns else None
        if not learns or not self._run or files.config.learning.run == "external":
            await self._child.aclose()
        else:
            self._child.start()

    def start(self) -> None:
        """Begin to look for what was learned."""
        self._task = asyncio.ensure_future(self._follow())

    async def aclose(self) -> None:
        """End the learner, and look no more. Closing twice is harmless."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._child.aclose()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if self._force is not None and self._folder is not None:
                runtime, following = self._force
                policies = await asyncio.to_thread(following.poll)
                if policies is not None:
                    runtime.decider.policies = policies  # one reference: requests under way keep what they have
                self._show(await asyncio.to_thread(Status.read, self._folder))

    def _show(self, status: Status | None) -> None:
        """Show how the learner is doing."""
        if status is None:
            return
        before = self._status if self._status and self._status.process == status.process else None
        if self._tells:
            self._metrics.learning_failures.labels("turn").inc(status.failures - (before.failures if before else 0))
        self._metrics.learning_last_success.set(status.succeeded_at)
        self._metrics.learning_lag.set(max(0.0, time.time() - status.succeeded_at))
        self._status = status

    def _died(self) -> None:
        self._metrics.learning_failures.labels("process").inc()


def _refuse_memory(subjects: Sequence[Subject]) -> None:
    """Raise `ConfigError` where a policy asks for what a log in memory cannot give; others do without."""
    for subject in subjects:
        if subject.settings.enabled:
            raise subject.written.document.error(
                ("learning", "enabled"), "nothing can be learned from a log in memory: set store.type to sqlite"
            )


def _subjects(files: Files) -> tuple[Subject, ...]:
    return subjects_of(files, rules_of(files))
