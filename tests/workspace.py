"""Where the documentation's blocks run: a folder like a fresh checkout, and a gateway as `make run` starts it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pages import ROOT

if TYPE_CHECKING:
    from tests.pages import Block

#: The port that the pages use; the tests take a free one.
PORT = "8080"
#: Seconds that a block may take, and that `until` goes on for.
BLOCK_S, UNTIL_S = 120.0, 30.0


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder like a fresh checkout after `make install`, and perhaps the port of the gateway that serves it."""

    folder: Path
    port: str = PORT

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of a terminal with the virtual environment activated, and without keys.

        What is installed goes into a folder of the workspace, and comes from nowhere else.
        """
        site = str(self.folder / "site")
        names = ("HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "POINTSMAN_CACHE")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        pip = {"PIP_TARGET": site, "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
        return {**kept, **pip, "PATH": path, "PYTHONPATH": site, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def run(self, block: Block) -> tuple[int, str]:
        """Run a block, or write its file; return the exit status and what it printed."""
        if block.directive.startswith("file "):
            (self.folder / block.argument).write_text(block.code, encoding="utf-8")
            return 0, ""
        code = block.code.replace(PORT, self.port)
        if block.language == "sql":
            return 0, self._query(code)
        command = ["bash", "-euo", "pipefail", "-c", code] if block.language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BLOCK_S,
            check=False,
        )
        return done.returncode, done.stdout

    def _query(self, code: str) -> str:
        log = sqlite3.connect(f"file:{self.folder}/var/pointsman.db?mode=ro", uri=True)
        try:
            rows = log.execute(code).fetchall()
        finally:
            log.close()
        return "".join("|".join(str(value) for value in row) + "\n" for row in rows)

    def perform(self, block: Block, expected: str | None) -> None:
        """Run a block and fail unless it succeeds and prints what the page says."""
        deadline = time.monotonic() + (UNTIL_S if block.directive == "until" else 0)
        while True:
            status, output = self.run(block)
            good = status == 0 and (expected is None or matches(expected.replace(PORT, self.port), output))
            if good or time.monotonic() >= deadline:
                break
            time.sleep(0.2)
        assert good, f"{block.place}: exit status {status}\n{block.code}\nprinted\n{output}\nexpected\n{expected}"


def matches(expected: str, output: str) -> bool:
    """Tell whether an output contains what is expected, `...` standing for anything."""
    pattern = ".*?".join(re.escape(part.strip()) for part in expected.split("..."))
    return re.search(pattern.replace("\\\n", r"\s*\n\s*"), output, re.DOTALL) is not None


def served_by_make() -> list[str]:
    """Return the command that `make run` ends with, for a free port."""
    # A make that runs the tests must not hand its own flags down.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", "-n", "run", "ARGS=--port 0"]
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[-1].split()
