"""The process that serves one local model: its start, its end, and what it said meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from providers.weights import LocalError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping

T = TypeVar("T")

SCRIPT = Path(__file__).with_name("local_server.py")
#: Seconds that a process has to end when it is told to, before it is killed.
TERMINATION_S = 5.0
#: How much of what a process said last is told when it does not start.
TAIL_BYTES = 4096
TAIL_LINES = 12
#: The process gets these variables and no others, so that it never sees a key.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT")


class StartFailed(LocalError):
    """A local model did not start; the message ends with what its process said last."""


class LocalProcess:
    """A running `providers.local_server`. It ends by itself when this process does, however that ends."""

    def __init__(self, process: Process, model: str) -> None:
        self._process = process
        self._model = model
        self._said = b""
        self._listening = asyncio.create_task(self._listen())
        self.address = ""

    @classmethod
    async def start(cls, settings: Mapping[str, Any], timeout_s: float) -> LocalProcess:
        """Start a process and wait until it answers at its `address`, `http://127.0.0.1:PORT`.

        Raises `StartFailed` if it ends or if `timeout_s` pass before that.
        """
        model = settings["alias"]
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(SCRIPT)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                # Control-C in a terminal is for the gateway, which lets answers finish first.
                start_new_session=True,
            )
        except OSError as error:
            raise StartFailed(f"local model {model!r}: its process cannot be started: {error}") from error
        child = cls(process, model)
        try:
            async with asyncio.timeout(timeout_s):
                child.address = await child._greet(settings)
        except TimeoutError:
            await child.stop()
            raise StartFailed(child._complaint(f"did not start within {timeout_s:g} s")) from None
        except BaseException:
            await child.stop()
            raise
        return child

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait until the process ends; return its exit status, which is negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the process: ask, and kill it if it does not listen. Harmless when it has ended."""
        try:
            async with asyncio.timeout(TERMINATION_S):
                self._signal(self._process.terminate)
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            self._signal(self._process.kill)
        await self._process.wait()
        await self._listening

    async def _greet(self, settings: Mapping[str, Any]) -> str:
        """Hand over the settings and return the address that comes back."""
        stdin, stdout = _pipe(self._process.stdin), _pipe(self._process.stdout)
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended, as the next line will show
            stdin.write(json.dumps(settings).encode() + b"\n")
            await stdin.drain()
        if line := await stdout.readline():
            return str(json.loads(line)["address"])
        status = await self._process.wait()
        await self._listening
        raise StartFailed(self._complaint(f"did not start: its process ended with status {status}"))

    async def _listen(self) -> None:
        """Read standard error to its end, for a full pipe would stop the process. Only the start is kept.

        What is said later may quote a request.
        """
        stderr = _pipe(self._process.stderr)
        while data := await stderr.read(TAIL_BYTES):
            self._said = b"" if self.address else (self._said + data)[-TAIL_BYTES:]

    def _complaint(self, what: str) -> str:
        lines = self._said.decode(errors="replace").strip().splitlines()[-TAIL_LINES:]
        return f"local model {self._model!r} {what}" + ("; it said:\n" + "\n".join(lines) if lines else "")

    def _signal(self, send: Callable[[], None]) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                send()


def _pipe(stream: T | None) -> T:
    if stream is None:
        raise RuntimeError("the process was started without its pipes")
    return stream
