from __future__ import annotations

import numpy as np
import pytest

from gateway.evaluation.folds import Folds
from gateway.evaluation.jobs import LeftOut
from gateway.evaluation.leave_out import pool, summary_entry, task_entry
from routers.evaluation.replay import Sweep
from routers.types import Outcomes


def outcomes(rewards, tasks):
    """Two models that cost 1 and 3."""
    rewards = np.array(rewards, np.float32)
    costs = np.tile(np.array([1.0, 3.0], np.float32), (len(rewards), 1))
    return Outcomes(("a", "b"), np.zeros((len(rewards), 0), np.float32), rewards, costs, costs * np.nan, tasks=tasks)


#: Without the task x, b is best in training. On x it is right once in four.
FOLDS = Folds(
    train=outcomes([[1, 0], [0, 1], [0, 1]], ("x", "y", "y")),
    test=outcomes([[1, 0], [1, 1], [0, 0], [1, 0], [0, 1]], ("x", "x", "x", "x", "y")),
)


def sweep(quality, cost):
    quality, cost = np.array(quality, np.float32), np.array(cost, np.float32)
    shares = np.full((len(quality), 2), 0.5, np.float32)
    return Sweep(tuple(np.linspace(0, 1, len(quality)).tolist()), quality, cost, shares)


def test_the_highest_setting_that_costs_no_more_is_judged():
    """Not the last, which costs 4, nor the first, which is better by luck."""
    left_out = LeftOut(0, "it", "x", sweep([[1, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 1]], [[1] * 4, [2] * 4, [4] * 4]))
    entry = task_entry("t", FOLDS, left_out)

    assert (0.5, 0.5, 2.0) == (entry["quality_weight"], entry["accuracy"], entry["cost_usd"])
    assert (0.25, 3.0) == (entry["best_single_accuracy"], entry["best_single_cost_usd"])
    assert 25.0 == pytest.approx(entry["gap_points"])
    assert 50.0 == pytest.approx(entry["gap_points_hindsight"])
    assert 75.0 == pytest.approx(entry["gap_points_quality_first"])
    # It differs from the best single model by 1, -1, 1 and 0.
    assert 100 * np.std([1, -1, 1, 0]) / 2 == pytest.approx(entry["gap_error_points"])


def test_a_router_that_always_costs_more_is_judged_where_it_costs_least():
    """There is no setting to be had for the price."""
    left_out = LeftOut(0, "it", "x", sweep([[1, 1, 1, 1], [0, 0, 0, 0]], [[5] * 4, [4] * 4]))

    assert 4.0 == task_entry("t", FOLDS, left_out)["cost_usd"]


def test_summary_names_the_worst_task_and_pools_the_rest():
    """The pooled curve is over all requests, each routed without its task."""
    parts = [
        LeftOut(0, "it", "x", sweep([[1, 1, 0, 1]], [[3] * 4])),
        LeftOut(0, "it", "y", sweep([[0]], [[3]])),
    ]
    entries = [task_entry("t", FOLDS, part) for part in parts]
    summary = summary_entry("t", FOLDS, parts, entries)

    assert ("y", 0.6) == (summary["worst_task"], pytest.approx(summary["max_accuracy"]))
    assert summary["worst_gap_points"] <= summary["mean_gap_points"]


def test_pooled_shares_count_requests():
    """A task of three counts three times as much as one of one."""
    one, three = sweep([[1]], [[1]]), sweep([[1, 1, 1]], [[1, 1, 1]])
    one.shares[:], three.shares[:] = [[1, 0]], [[0, 1]]

    assert [[0.25, 0.75]] == pool([one, three]).shares.tolist()
