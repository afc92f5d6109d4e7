"""Where a learner keeps what it needs: beside the log that it learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.files import Files


@dataclass(frozen=True, slots=True)
class Beside:
    """The log, the learner's own file, its lock, and the folder of snapshots."""

    log: Path
    book: Path
    lock: Path
    snapshots: Path


def beside(files: Files) -> Beside:
    """Return the places of a configuration whose log is a file."""
    log = files.path.parent / files.config.store.path
    names = (log.with_name(log.name + suffix) for suffix in (".learner", ".learner.lock", ".learned"))
    return Beside(log, *names)
