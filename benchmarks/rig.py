"""The rig: a mock upstream and a load generator, in C where they are there and compile, else in Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
#: Holds `mock_upstream.c` and `loadgen.c`.
SOURCES = Path(os.environ.get("BENCH_RIG", ROOT.parent / "shared" / "bench"))

Wanted = Literal["auto", "c", "python"]


class NoRig(Exception):
    """The rig in C was asked for and cannot be had."""


@dataclass(frozen=True, slots=True)
class Rig:
    """Commands that both take the same options, whichever language they are in; `name` is for the report."""

    name: str
    upstream: tuple[str, ...]
    load: tuple[str, ...]


def varied_load() -> tuple[str, ...]:
    """Return the load generator that can send a different prompt with each request."""
    return sys.executable, str(HERE / "load.py")


def python_rig(reason: str) -> Rig:
    """Return the rig in Python."""
    return Rig(f"Python, in benchmarks/ ({reason})", (sys.executable, str(HERE / "mock_upstream.py")), varied_load())


def find_rig(wanted: Wanted, folder: Path) -> Rig:
    """Return the rig to use; what is compiled goes into `folder`. Raises `NoRig`."""
    if wanted == "python":
        return python_rig("as asked for")
    try:
        upstream, load = (_compiled(name, folder) for name in ("mock_upstream", "loadgen"))
    except NoRig as error:
        if wanted == "c":
            raise
        return python_rig(str(error))
    return Rig("C", (upstream,), (load,))


def _compiled(name: str, folder: Path) -> str:
    source, program = SOURCES / f"{name}.c", folder / name
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not source.is_file():
        raise NoRig(f"BENCH_RIG names no folder with {source.name}")
    if compiler is None:
        raise NoRig("no C compiler: apt-get install gcc libc6-dev")
    built = subprocess.run([compiler, "-O2", "-o", program, source], capture_output=True, text=True, check=False)
    if built.returncode:
        raise NoRig(f"{source.name} does not compile: {built.stderr.strip().splitlines()[-1]}")
    return str(program)
