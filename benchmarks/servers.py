"""Servers under measurement: started on one core, their processor time read from /proc, and stopped again."""

from __future__ import annotations

import os
import re
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
def pinned(*allowed: int) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, on some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed)
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

    def memory_mb(self) -> float:
        """Return the memory of its processes that is resident."""
        found = [re.search(r"^Rss:\s+(\d+)", _read(pid, "smaps_rollup"), re.MULTILINE) for pid, _ in self._processes()]
        return sum(int(one[1]) for one in found if one) / 1024

    def pause(self) -> None:
        """Let none of its processes run, so that it takes nothing from another that is measured."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them run again."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End all its processes, by force if need be."""
        self.resume()
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                continue
            if not any(self._processes()):
                return

    def _signal(self, number: signal.Signals) -> None:
        for pid, _ in self._processes():
            _send(pid, number)

    def _processes(self) -> Iterator[tuple[int, list[str]]]:
        """Yield it and what it has started, with the fields of proc(5)'s `stat` from the third on."""
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        found = {number: stat for number in numbers if (stat := _read(number, "stat").rsplit(")", 1)[-1].split())}
        for number, stat in found.items():
            if stat[0] != "Z" and (int(stat[3]) == self.process.pid or self._started(number, found)):
                yield number, stat

    def _started(self, number: int, found: Mapping[int, Sequence[str]]) -> bool:
        """Tell whether a process is a child of it, or a child's: these may have sessions of their own."""
        while number in found and number != self.process.pid:
            number = int(found[number][1])
        return number == self.process.pid


def _read(pid: int, name: str) -> str:
    """Return a file of proc(5), nothing where the process has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended by itself


@contextmanager
def running(
    command: Sequence[str],
    core: int | tuple[int, ...],
    log: Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server on one core, or on several, in a session of its own, until the block is left."""
    with log.open("wb") as output, pinned(*((core,) if isinstance(core, int) else core)):
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, start_new_session=True, env=environment
        )
    server = Server(process, log)
    try:
        yield server
    finally:
        server.stop()


def await_answer(server: Server, port: int, body: bytes, headers: Mapping[str, str], path: str = CHAT_PATH) -> float:
    """Return once a chat completion request is answered with 200, after how many seconds. Raises `DidNotStart`."""
    begun = time.monotonic()
    end = begun + START_LIMIT_S
    problem = "no answer"
    while time.monotonic() < end and server.process.poll() is None:
        try:
            get(port, path, body, headers)
        except (urllib.error.URLError, OSError) as error:
            problem = str(error)
            time.sleep(0.05)
        else:
            return time.monotonic() - begun
    raise DidNotStart(f"{server.process.args!r}: {problem}\n{server.log.read_text(errors='replace')[-2000:]}")


def get(port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what is at a path, past any proxy that the environment names; a body makes it a POST."""
    address = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(address, body, {"content-type": "application/json", **(headers or {})})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=START_LIMIT_S) as answer:
        content: bytes = answer.read()
        return content
