"""The gateway as its users start it: a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
#: A process that does nothing for so long has failed.
PATIENCE_S = 30.0


def until(holds: Callable[[], T]) -> T:
    """Wait until something holds; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@dataclass
class Process:
    """A gateway that runs: its process, its address, and the folder of its configuration."""

    popen: subprocess.Popen[bytes]
    folder: Path
    url: str = ""

    @property
    def said(self) -> str:
        """Return what it has said on standard error."""
        return (self.folder / "stderr.txt").read_text()

    def ended(self) -> int:
        """Wait until it has ended; return its status."""
        return self.popen.wait(PATIENCE_S)


def command(path: Path, *options: str) -> list[str]:
    """Return the command that serves a configuration."""
    return [sys.executable, "-m", "gateway", "serve", "--config", str(path), *options]


def logged(folder: Path) -> list[Any]:
    """Return the log, oldest first, as another process reads it."""
    store = SQLiteStore.open(folder / "log.db", read_only=True)
    try:
        return list(store.joined())
    finally:
        store.close()


@contextmanager
def started(path: Path, *options: str) -> Iterator[Process]:
    """Start a gateway on a free port; yield it once it is ready; kill it at the end if it still runs."""
    with (path.parent / "stderr.txt").open("wb") as said:
        popen = subprocess.Popen(command(path, "--port", "0", *options), cwd=ROOT, stderr=said, stdout=said)
    process = Process(popen, path.parent)
    try:
        process.url = _address(process)
        yield process
    finally:
        popen.kill()
        popen.wait(PATIENCE_S)


def _address(process: Process) -> str:
    """Wait until a gateway is ready; return where."""
    deadline = time.monotonic() + PATIENCE_S
    while (ready := re.search(r"ready at (\S+)\n[^$]*print\(", process.said)) is None:
        assert process.popen.poll() is None, process.said
        assert time.monotonic() < deadline, process.said
        time.sleep(0.02)
    return ready[1]
