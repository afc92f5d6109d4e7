"""One learner for a log: whoever holds the lock beside it."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self

from gateway.store.base import StoreError

if TYPE_CHECKING:
    from pathlib import Path


class LogTaken(StoreError):
    """Another learner has the log."""


class Lock:
    """A lock on a file, which ends with the process that holds it, however that ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self:
        """Return the lock. Raises `LogTaken` where another process holds it, and `StoreError` where it cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(f"{path}: cannot be opened: {error.strerror}: its folder must be writable") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise LogTaken(
                f"{path}: another learner (process {holder or 'unknown'}) learns from this log already: end it, or set "
                "learning.run to external where `pointsman learn` is to do it"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(path, descriptor)

    def release(self) -> None:
        """Let another have it."""
        os.close(self._descriptor)
