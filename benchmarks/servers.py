"""Servers under measurement: started on one core, their processor time read from /proc, and stopped again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0
CHAT_PATH = "/v1/chat/completions"


class DidNotStart(Exception):
    """A server ended, or answered nothing, before it was ready."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things run: what is measured on one core, and the load and the upstream on the other."""

    measured: int
    load: int

    @property
    def apart(self) -> bool:
        """Tell whether these are two cores."""
        return self.measured != self.load


def cores() -> Cores:
    """Return the first and the last core that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, with all the processes of its session."""

    process: subprocess.Popen[bytes]
    log: Path

    def cpu_s(self) -> float:
        """Return the seconds of processor time, user and system, that its processes have taken."""
        return sum(int(stat[11]) + int(stat[12]) for _, stat in self._processes()) / TICKS_A_SECOND

    def settle(self, limit_s: float = 3.0) -> None:
        """Wait until it has no work left over from an earlier load."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            before = self.cpu_s()
            time.sleep(0.1)
            if self.cpu_s() - before < 2 / TICKS_A_SECOND:
                return

    def stop(self) -> None:
        """End all its processes, by force if need be."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid, _ in self._processes():
                _send(pid, number)
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                continue
            if not any(self._processes()):
                return

    def _processes(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the processes of its session, with the fields of proc(5)'s `stat` from the third on."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(stat[3]) == self.process.pid and stat[0] != "Z":
                yield int(entry.name), stat


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended by itself


@contextmanager
def running(command: Sequence[str], core: int, log: Path, folder: Path) -> Iterator[Server]:
    """Run a server on one core, in a session of its own, until the block is left."""
    with log.open("wb") as output, pinned(core):
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    server = Server(process, log)
    try:
        yield server
    finally:
        server.stop()


def await_answer(server: Server, port: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Return once a chat completion request is answered with 200. Raises `DidNotStart`."""
    end = time.monotonic() + START_LIMIT_S
    problem = "no answer"
    while time.monotonic() < end and server.process.poll() is None:
        try:
            get(port, CHAT_PATH, body, headers)
        except (urllib.error.URLError, OSError) as error:
            problem = str(error)
            time.sleep(0.05)
        else:
            return
    raise DidNotStart(f"{server.process.args}: {problem}\n{server.log.read_text(errors='replace')[-2000:]}")


def get(port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what is at a path, past any proxy that the environment names; a body makes it a POST."""
    address = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(address, body, {"content-type": "application/json", **(headers or {})})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=START_LIMIT_S) as answer:
        content: bytes = answer.read()
        return content
