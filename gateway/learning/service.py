"""The process that learns: one for a log, beside the gateways that serve from it."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.learning.book import Book
from gateway.learning.exchange import Exchange
from gateway.learning.lock import Lock, LogTaken
from gateway.learning.places import beside
from gateway.learning.run import Places, Run
from gateway.learning.snapshots import Snapshots
from gateway.learning.status import Status
from gateway.learning.subjects import rules_of, subjects_of
from gateway.store.base import StoreError
from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from threading import Event

    from gateway.config.files import Files

logger = logging.getLogger("pointsman")

#: Seconds between two tries to become the learner of a log that has one.
STANDBY_S: Final = 1.0


class Service:
    """Learns from the log of the configuration at `path` until `stop` is set.

    A changed configuration is taken when it is good; until then the last good one counts.
    """

    def __init__(self, path: Path, environment: Mapping[str, str], stop: Event) -> None:
        self._path = path
        self._environment = environment
        self._stop = stop
        self._files = read_files(path, environment)
        self._beside = beside(self._files)
        self._status = Status(uuid4().hex, 0.0, 0)

    def run(self, *, standby: bool = False, once: bool = False) -> None:
        """Learn until stopped, or `once` all that is there now.

        Raises `LogTaken` where another learns from the log, unless on `standby`: then it waits for its end. Once, it
        raises what fails; else failures are logged, and tried again.
        """
        lock = self._locked(standby=standby)
        if lock is None:
            return
        try:
            with closing(Book.open(self._beside.book)) as book:
                self._learn(book, once=once)
        finally:
            lock.release()

    def _locked(self, *, standby: bool) -> Lock | None:
        """Return the lock of the log; None where it is stopped before."""
        while not self._stop.is_set():
            try:
                return Lock.take(self._beside.lock)
            except LogTaken:
                if not standby:
                    raise
            self._stop.wait(STANDBY_S)
        return None

    def _learn(self, book: Book, *, once: bool) -> None:
        run: Run | None = None
        while not self._stop.is_set():
            try:
                run = self._current(run, book)
                run.turn(time.time(), self._stop.is_set)
            except (StoreError, ConfigError, OSError) as error:
                if once:
                    raise
                self._status = replace(self._status, failures=self._status.failures + 1)
                logger.error("learning.failed", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all
            else:
                self._status = replace(self._status, succeeded_at=time.time())
            self._status.write(self._beside.snapshots)
            if once:
                return
            self._stop.wait(self._files.config.learning.interval_s)

    def _current(self, run: Run | None, book: Book) -> Run:
        """Return what learns by the configuration on disk; the one that does already, where it has not changed."""
        files = self._read()
        if run is not None and files.digest == self._files.digest:
            return run
        self._files = files
        rules = rules_of(files)
        return Run(self._places(files, book), subjects_of(files, rules), rules)

    def _read(self) -> Files:
        """Return the configuration on disk; the last one where it is bad, or is about another log."""
        try:
            files = read_files(self._path, self._environment)
        except ConfigError as error:
            logger.error("config.refused", extra={"reason": str(error)})  # noqa: TRY400 - the message says where
            return self._files
        fixed = (files.config.store, files.config.redis) == (self._files.config.store, self._files.config.redis)
        return files if fixed else self._files

    def _places(self, files: Files, book: Book) -> Places:
        log = SQLiteStore.open(self._beside.log, read_only=True)
        return Places(log, book, Snapshots(self._beside.snapshots), self._exchange(files, book))

    def _exchange(self, files: Files, book: Book) -> Exchange | None:
        if files.config.redis is None:
            return None
        module = import_module("gateway.learning.board")  # nothing else needs Redis' client
        return Exchange(book, module.Board(files.config.redis))
