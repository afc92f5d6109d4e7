"""A Python function, judged by what it returns."""

from __future__ import annotations

import json
import math
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue, with_config

from gateway.profiling.graders._strict import STRICT
from gateway.profiling.graders._text import fenced
from gateway.profiling.sandbox import run_python

DRIVER = Path(__file__).with_name("_driver.py")
START = re.compile(r"^(?:def|import|from|class|@|async def)\b|^@")
GOES_ON = re.compile(r"^(?:def|import|from|class|@|async def|#|[ \t)\]}]|if |[A-Z_]+ = |$)")


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Case:
    """A call, and what it must return."""

    args: tuple[JsonValue, ...]
    returns: JsonValue


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Program:
    """The answer defines `function`, which returns what each case says. It is run in the sandbox."""

    kind: Literal["program"]
    function: str
    cases: tuple[Case, ...]
    timeout_s: float = 5

    def score(self, answer: str, prompt: str) -> float:  # noqa: ARG002  (code repeats no question)
        """Return 1 if every case passes, else 0: code that fails a case is wrong."""
        source = python_source(answer, self.function)
        if source is None:
            return 0.0
        returned = self._returned(source)
        passed = [same_value(case.returns, value) for case, value in zip(self.cases, returned, strict=False)]
        return float(len(returned) == len(self.cases) and all(passed))

    def _returned(self, source: str) -> list[JsonValue]:
        """Return what the calls returned, up to the first that failed.

        What is expected never enters the sandbox; the nonce tells the driver's lines from what the answer prints.
        """
        nonce = secrets.token_hex(16)
        calls = [case.args for case in self.cases]
        task = json.dumps({"nonce": nonce, "source": source, "function": self.function, "calls": calls})
        completed = run_python(DRIVER.read_text(encoding="utf-8"), stdin=task, timeout_s=self.timeout_s)
        marked = [line.removeprefix(nonce) for line in completed.stdout.splitlines() if line.startswith(nonce)]
        try:
            return [json.loads(line)[0] for line in marked]
        except (ValueError, LookupError, TypeError, RecursionError):
            # A line cut off at the output limit, or nested without end, or written by the answer.
            return []


def python_source(answer: str, function: str) -> str | None:
    """Return the code in an answer that defines a function: its fenced block, or its lines of code; else None."""
    definition = re.compile(rf"^(?:async )?def {re.escape(function)}\b", re.MULTILINE)
    for block in fenced(answer):
        if definition.search(block):
            return block
    text = answer.replace("```python", "").replace("```", "").splitlines()
    start = next((place for place, line in enumerate(text) if START.match(line)), len(text))
    code = []
    for line in text[start:]:
        if not GOES_ON.match(line):
            break
        code.append(line)
    source = "\n".join(code)
    return source if definition.search(source) else None


def same_value(wanted: JsonValue, found: JsonValue) -> bool:
    """Compare what a function returned: a bool is no number, floats are equal within rounding."""
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return wanted == found or _nearly(wanted, found)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(same_value, wanted, found))
    if isinstance(wanted, dict) and isinstance(found, dict):
        return wanted.keys() == found.keys() and all(same_value(value, found[key]) for key, value in wanted.items())
    return type(wanted) is type(found) and wanted == found


def _nearly(wanted: float, found: float) -> bool:
    try:
        return math.isclose(wanted, found, rel_tol=1e-9, abs_tol=1e-9)
    except OverflowError:
        # An integer beyond what a float can hold equals no float.
        return False
