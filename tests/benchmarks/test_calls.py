"""How many function calls a request and an event may take: counted, for they do not depend on the machine's load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
#: At most so many calls for a request by a model's name, for one by `auto` and for an event; some 5 % above what it was.
BOUNDS = json.loads((BENCHMARKS / "call_bounds.json").read_text())


@pytest.fixture(scope="module")
def counted():
    """Count them in a process of its own, in which nothing else runs."""
    command = [sys.executable, str(BENCHMARKS / "calls.py")]
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert 0 == ended.returncode, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("what", BOUNDS)
def test_no_more_calls_are_made_than_may_be(counted, what):
    """More need a reason, and a new bound in `benchmarks/call_bounds.json`; see docs/performance.md."""
    assert counted[what] <= BOUNDS[what]


@pytest.mark.parametrize("what", BOUNDS)
def test_the_bounds_are_near_what_is_counted(counted, what):
    """A bound far above guards nothing: whoever makes it faster lowers it."""
    assert counted[what] >= 0.5 * BOUNDS[what]
