"""A learner at work: it reads what is new, hears what others have learned, and writes what gateways are to load."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gateway.config.routers import manifest_of
from gateway.learning import refit
from gateway.learning.counting import Pupil
from gateway.learning.learner import Learner
from gateway.learning.posted import BoardAway
from gateway.learning.snapshots import Label
from gateway.store.base import StoreError
from gateway.store.values import to_micros
from routers.types import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.learning.book import Book
    from gateway.learning.exchange import Exchange
    from gateway.learning.share import Share
    from gateway.learning.snapshots import Snapshots
    from gateway.learning.subjects import Rules, Subject
    from gateway.store.base import Store
    from routers.observations import Summing
    from routers.types import Router

logger = logging.getLogger("pointsman")


class LearnerStuck(StoreError):
    """A router cannot take in what the log holds; the others learn."""


#: Seconds between two looks for replicas that are gone.
TIDY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Places:
    """What a learner works with: the log, its own file, where snapshots go, and perhaps other replicas."""

    log: Store
    book: Book
    snapshots: Snapshots
    exchange: Exchange | None


class Run:
    """Learns for some routers until their configuration changes. Not for use by several threads at a time."""

    def __init__(self, places: Places, subjects: Sequence[Subject], rules: Rules) -> None:
        self._places = places
        self._rules = rules
        self._routers: dict[str, Router] = {one.name: one.new_router() for one in subjects if one.online}
        self._online = [one for one in subjects if one.online]
        self._refitted = [one for one in subjects if not one.online]
        pupils = [Pupil(one, cast("Summing", self._routers[one.name])) for one in self._online]
        self._learner = Learner(places.log, places.book, pupils, rules)
        self._contents = {one.name: _content_of_last(places.snapshots, one) for one in subjects}
        self._refit_at: dict[str, float] = {}
        self._tidy_at = 0.0

    def turn(self, now: float, stopping: Callable[[], bool] = lambda: False) -> None:
        """Learn all that is new, and write what came of it; leave off early when `stopping`.

        Raises `StoreError`, `LearnerStuck` and `OSError`; what was counted until then is kept.
        """
        while self._learner.step():
            if stopping():
                return
        for subject in self._online:
            if subject.name in self._learner.stuck:
                continue
            self._exchange(subject, now)
            # By all that is known to be said: who says too much here may say it to others, too.
            if self._learner.recap(subject.name, self.learned(subject).masses):
                self._exchange(subject, now)
            self._publish(subject)
        for subject in self._refitted:
            if now >= self._refit_at.get(subject.name, 0.0) and not stopping():
                self._refit(subject)
                self._refit_at[subject.name] = now + subject.settings.refit_every_s
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_S
        if stuck := self._learner.stuck:
            raise LearnerStuck(
                "; ".join(f"{name} cannot learn from the log: {reason}" for name, reason in stuck.items())
            )

    def learned(self, subject: Subject) -> Share:
        """Return what is known for a router: this log's share, and those of other replicas. Raises `StoreError`."""
        progress = self._learner.progress(subject.name)
        if self._places.exchange is None:
            return progress.share
        return self._places.exchange.known(progress.digest, progress.cursor.log, progress.share)

    def _exchange(self, subject: Subject, now: float) -> None:
        exchange, progress = self._places.exchange, self._learner.progress(subject.name)
        if exchange is None or not progress.cursor.log:
            return
        try:
            version = exchange.sync(progress.digest, progress.cursor.log, progress.share)
            if version is not None:
                self._learner.renumber(subject.name, version)
            if now >= self._tidy_at and exchange.tidy(progress.digest, progress.cursor.log, now):
                logger.info("learning.folded", extra={"router": subject.name})
        except BoardAway as error:
            logger.warning("learning.alone", extra={"router": subject.name, "reason": str(error)})

    def _publish(self, subject: Subject) -> None:
        """Write a snapshot, where there is more, or something else, than in the last one."""
        share, router = self.learned(subject), self._routers[subject.name]
        content, last = share.fingerprint(), self._contents[subject.name]
        if content == last or (last is None and not share.rows):
            return
        # As of the latest answer that was counted, so that replicas that know the same have the same in force.
        cast("Summing", router).absorb(share.sums, share.latest / 1e6)
        self._write(subject, router, Label(subject.digest, content, share.rows, share.latest))

    def _refit(self, subject: Subject) -> None:
        rows = refit.rated(self._places.log, subject, self._rules.rewards)
        content = refit.fingerprint(rows)
        if not rows or content == self._contents[subject.name]:
            return
        router = subject.new_router()
        router.learn(refit.table(rows))
        self._write(subject, router, Label(subject.digest, content, len(rows), to_micros(rows[-1].event.decision.at)))

    def _write(self, subject: Subject, router: Router, label: Label) -> None:
        def save(folder: Path) -> None:
            trained = manifest_of(subject.written)
            router.save(folder, encoder=trained.encoder if trained else None, metadata={"rows": str(label.rows)})

        version = self._places.snapshots.write(subject.name, label, save)
        self._contents[subject.name] = label.content
        logger.debug("learning.published", extra={"router": subject.name, "version": version, "rows": label.rows})


def _content_of_last(snapshots: Snapshots, subject: Subject) -> str | None:
    """Return what went into the newest snapshot; None where there is none that fits."""
    try:
        newest = snapshots.newest(subject.name)
    except StateError:
        return None
    return newest.label.content if newest is not None and newest.label.digest == subject.digest else None
