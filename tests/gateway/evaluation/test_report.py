from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.evaluation.folds import Folds
from gateway.evaluation.grid import compared, grids
from gateway.evaluation.jobs import Result
from gateway.evaluation.report import document, finite, pair_entry
from routers.evaluation.replay import Sweep
from routers.types import Outcomes


def test_what_is_no_number_becomes_none():
    """However deep it lies; tuples become lists, as JSON has no other."""
    value = {"a": [1.0, math.nan, (math.inf, -math.inf)], "b": {"c": math.nan}, "d": "nan", "e": 3}

    assert {"a": [1.0, None, [None, None]], "b": {"c": None}, "d": "nan", "e": 3} == finite(value)


def test_a_document_is_json_with_a_version_and_a_time():
    """And the command that made it."""
    made = document(["pointsman", "evaluate"], datetime(2030, 1, 2, tzinfo=UTC), {"tables": []})

    expected = {
        "version": 1,
        "created": "2030-01-02T00:00:00+00:00",
        "command": ["pointsman", "evaluate"],
        "tables": [],
    }
    assert expected == json.loads(json.dumps(made, allow_nan=False))


def test_a_pair_is_averaged_over_the_seeds():
    """Two seeds whose single points recover a gap of 0.5 by 1 and by 0 with half of the calls."""
    rewards = np.array([[1, 1], [1, 0]], np.float32)
    costs = np.ones((2, 2), np.float32)
    test = Outcomes(("big", "small"), np.zeros((2, 0), np.float32), rewards, costs, costs)
    half = np.array([[0.5, 0.5]], np.float32)
    sweeps = tuple(Sweep((None,), np.array([quality], np.float32), costs[:1], half) for quality in ([1, 1], [0, 1]))
    entry = pair_entry("t", Folds(test, test), [Result(0, "it", (0, 1), sweeps, 0.1, (1.0, 2.0), None)])

    assert ("big", "small", "it") == (entry["strong"], entry["weak"], entry["router"])
    assert (0.75 + 0.25) / 2 == pytest.approx(entry["apgr"])


def test_a_difference_is_written_with_its_interval_or_as_none():
    """Three decimals and a sign."""
    one = {"reference": "zero", "metric": "aiq", "difference": 0.0123, "interval": [0.003, 0.021], "verdict": "better"}

    assert "+0.012 [0.003, 0.021]" == compared([one], "zero")
    assert "no difference" == compared([{**one, "verdict": "no difference"}], "zero")
    assert "-" == compared([one], "oracle")


def test_an_empty_report_has_no_tables():
    """Nothing to show."""
    assert [] == list(grids({"tables": [], "pairs": [], "leave_task_out_summary": []}))
