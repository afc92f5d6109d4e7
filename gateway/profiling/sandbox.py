"""Run untrusted Python in a process of its own that can do little and not for long.

Everywhere: an isolated interpreter (`-I -S`), an empty environment, an empty working directory, its own session
that is killed as a whole, resource limits (CPU time, address space, file size, open files, processes, core dumps).

On Linux, as far as the kernel and the container allow (`missing_layers` says what is not in force):

- a user, network and System V namespace of its own: no network interface, no privileges;
- Landlock (5.13): no file can be written, created or removed, and only the interpreter's own files can be read;
- seccomp (x86-64 and 64-bit ARM): no processes, no signals to others, no sockets, no `ptrace`, no io_uring.

Not contained: up to one core for as long as the time limit; reading what the interpreter's own folders hold; where
Landlock is missing, the user's files; where both namespaces and seccomp are missing, the network; on macOS, the
address space. It is meant for answers of language models, not for determined attackers: for those, run the whole
profiling in a container or a virtual machine.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: Output beyond this is refused by the system; the program sees an error when it writes.
OUTPUT_BYTES = 64 * 1024
JAIL = Path(__file__).with_name("_jail.py")
#: What the dynamic loader and the interpreter read, beside the interpreter's own folders.
SYSTEM_FILES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")


class SandboxError(Exception):
    """Python cannot be run in the sandbox on this system; the message says why."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended: `exit_code` is negative for the number of a signal; `stdout` is capped."""

    exit_code: int
    stdout: str
    timed_out: bool


def run_python(code: str, *, stdin: str = "", timeout_s: float = 5, memory_bytes: int = 256 * 1024**2) -> Completed:
    """Run a program, wait for it at most `timeout_s` seconds, and return how it ended.

    It never raises for what the program does: code that is not Python ends with an exit code.
    """
    with tempfile.TemporaryDirectory(prefix="pointsman-") as folder:
        program = Path(folder, "program", "answer.py")
        program.parent.mkdir()
        program.write_bytes(code.encode("utf-8", "surrogatepass"))
        command = _command(str(program), timeout_s, memory_bytes, readable=[str(program.parent)])
        return _run(command, Path(folder), stdin, timeout_s)


def missing_layers() -> tuple[str, ...]:
    """Name the layers of the sandbox that this system lacks.

    Raises `SandboxError` where a trivial program does not run in it, so that every answer would fail.
    """
    with tempfile.TemporaryDirectory(prefix="pointsman-") as folder:
        report = _run(_command("--report", 10, 256 * 1024**2, readable=[]), Path(folder), "", 10)
    trial = run_python("print('ready')", timeout_s=10)
    if trial.stdout.strip() != "ready" or report.exit_code != 0:
        raise SandboxError(
            f"the interpreter {sys.executable} does not run in the sandbox (exit code {trial.exit_code}): "
            "profile without probes of code, or with an interpreter below /usr or in a folder of its own"
        )
    return tuple(json.loads(report.stdout))


def _command(program: str, timeout_s: float, memory_bytes: int, *, readable: list[str]) -> list[str]:
    limits = (math.ceil(timeout_s) + 1, memory_bytes, OUTPUT_BYTES)
    interpreter = [sys.executable, "-I", "-S", "-B", str(JAIL), program, *map(str, limits)]
    return [*interpreter, sys.prefix, sys.base_prefix, *SYSTEM_FILES, *readable]


def _run(command: list[str], folder: Path, stdin: str, timeout_s: float) -> Completed:
    (folder / "stdin").write_bytes(stdin.encode("utf-8", "surrogatepass"))
    (folder / "work").mkdir()
    with (folder / "stdin").open("rb") as source, (folder / "stdout").open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  (the command is our own interpreter and script)
            command,
            stdin=source,
            # A file, not a pipe: the limit on file size then caps the output, and nobody need read meanwhile.
            stdout=sink,
            stderr=subprocess.DEVNULL,
            cwd=folder / "work",
            env={},
            start_new_session=True,
        )
        timed_out = _wait(process, timeout_s)
    stdout = (folder / "stdout").read_bytes()[:OUTPUT_BYTES].decode("utf-8", "replace")
    return Completed(process.returncode, stdout, timed_out)


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for the end; kill what is left of the session; tell whether it took too long."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return True
    else:
        return False
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
