"""Gives a configuration that is in force what was learned meanwhile. It reads files: not for an event loop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.config.routers import build_new_router
from gateway.learning.relearned import Learned, relearned
from routers.types import StateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.learning.snapshots import Snapshot, Snapshots
    from gateway.learning.subjects import Subject
    from gateway.metrics import Metrics
    from gateway.policy import Policies

logger = logging.getLogger("pointsman")


class Following:
    """Loads the newest snapshot of each router that learns. A snapshot that cannot be read leaves the last one."""

    def __init__(self, snapshots: Snapshots, subjects: Sequence[Subject], built: Policies, metrics: Metrics) -> None:
        self._snapshots = snapshots
        self._subjects = subjects
        self._built = built
        self._metrics = metrics
        self._seen: dict[str, int] = {}
        self._learned: dict[str, Learned] = {}

    def poll(self) -> Policies | None:
        """Return the policies with what was learned since the last time; None where there is nothing new."""
        news = [subject for subject in self._subjects if self._look(subject)]
        return relearned(self._built, self._learned) if news else None

    def _look(self, subject: Subject) -> bool:
        """Load the newest snapshot of a router, unless it was looked at before; tell whether it is in force now."""
        version = (self._snapshots.versions(subject.name) or [0])[-1]
        if version in (0, self._seen.get(subject.name)):
            return False
        self._seen[subject.name] = version
        try:
            snapshot = self._snapshots.read(subject.name, version)
            if snapshot.label.digest != subject.digest:
                return False  # of another configuration: the learner has not caught up yet
            self._load(subject, snapshot)
        except StateError as error:
            logger.error("learned.refused", extra={"router": subject.name, "reason": str(error)})  # noqa: TRY400 - it says all
            self._metrics.learning_failures.labels("snapshot").inc()
            return False
        return True

    def _load(self, subject: Subject, snapshot: Snapshot) -> None:
        router = build_new_router(subject.written)
        router.load(snapshot.folder)
        self._learned[subject.name] = Learned(router, snapshot.state)
        self._metrics.learned_version.labels(subject.name).set(snapshot.version)
        self._metrics.learned_rows.labels(subject.name).set(snapshot.label.rows)
