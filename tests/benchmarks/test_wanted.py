"""The table of what is wanted: when a figure is met, missed, or unknown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def wanted(monkeypatch):
    """Import what is a script's module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    import wanted  # noqa: PLC0415 - it lies beside the scripts, and is no package

    yield wanted.Wanted
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(BENCHMARKS) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("bound", "value", "at_most", "met"),
    [
        (40, 40.0, False, True),
        (40, 39.9, False, False),
        (2, 2.0, True, True),
        (2, 2.1, True, False),
        (40, None, False, None),
        (None, 1.0, False, None),
    ],
)
def test_a_figure_is_met_missed_or_unknown(wanted, bound, value, at_most, met):
    """What was not measured is not called met."""
    assert met is wanted("what", bound, value, at_most).met


def test_a_missed_figure_stands_out(wanted):
    """In the table that is printed."""
    assert ["what", "at least 40", "39.90", "**no**"] == wanted("what", 40, 39.9).row()
    assert ["what", "-", "0.10", "-"] == wanted("what", None, 0.1).row()
    assert ["what", "at most 2", "-", "-"] == wanted("what", 2, None, at_most=True).row()
