"""How do routers do on a task that they never saw?"""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.evaluation.curve import measure
from routers.evaluation.replay import Sweep
from routers.evaluation.yardstick import Yardstick, best_single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gateway.evaluation.folds import Folds
    from gateway.evaluation.jobs import LeftOut

    Column = NDArray[np.float64]
    Entry = dict[str, Any]

#: By how much a mean cost may exceed another for reasons of rounding alone, as a share.
_SLACK = 1e-6


def task_entry(table: str, folds: Folds, left_out: LeftOut) -> Entry:
    """Return how a router does on the task left out, against always the model that was best without it.

    `folds` are those of the whole table. Judged is the highest setting of the dial at which the router costs no more
    than the best single model does: nobody has to see a score to find it. The gap is in points of accuracy, with its
    standard error: below zero, the router would better not have been used. With hindsight it is that of the most
    accurate setting of no higher cost; `quality_first` is that of the dial's quality end, whatever it costs.
    """
    here = folds.without(left_out.task)
    yardstick = Yardstick.of(here.train, here.test)
    baseline, always = yardstick.baseline, here.test.rewards[:, best_single(here.train)]
    quality, cost = left_out.sweep.quality, left_out.sweep.points[0]
    within = np.flatnonzero(cost <= baseline.cost_usd * (1 + _SLACK))
    if not len(within):
        within = np.array([int(cost.argmin())])
    gaps = 100 * (quality - always).mean(axis=1, dtype=np.float64)
    judged = int(within[-1])
    return {
        "table": table,
        "router": left_out.router,
        "task": left_out.task,
        "n": here.test.n,
        "quality_weight": left_out.sweep.quality_weights[judged],
        "accuracy": float(quality[judged].mean(dtype=np.float64)),
        "cost_usd": float(cost[judged]),
        "best_single_accuracy": baseline.quality,
        "best_single_cost_usd": baseline.cost_usd,
        "gap_points": float(gaps[judged]),
        "gap_error_points": 100 * float((quality[judged] - always).std(dtype=np.float64)) / math.sqrt(here.test.n),
        "gap_points_hindsight": float(gaps[within].max()),
        "gap_points_quality_first": float(gaps[-1]),
    }


def summary_entry(table: str, folds: Folds, left_out: Sequence[LeftOut], tasks: Sequence[Entry]) -> Entry:
    """Return a router's worst and mean gap over the tasks, and its curve over all of them together.

    Each request of the pooled curve is routed by what was learned without its task.
    """
    worst = min(tasks, key=lambda entry: float(entry["gap_points"]))
    pooled = pool([one.sweep for one in left_out])
    order = np.concatenate([np.flatnonzero(np.array(folds.test.tasks) == one.task) for one in left_out])
    yardstick = Yardstick.of(folds.train, folds.test.take(order))
    cost, quality = pooled.points
    measures = measure(cost, quality, yardstick)
    points = zip(pooled.quality_weights, cost.tolist(), quality.tolist(), strict=True)
    return {
        "table": table,
        "router": left_out[0].router,
        "worst_task": worst["task"],
        "worst_gap_points": worst["gap_points"],
        "mean_gap_points": fmean(entry["gap_points"] for entry in tasks),
        "aiq": measures.aiq,
        "max_accuracy": measures.max_accuracy,
        "match_cost_ratio": measures.match_cost_ratio,
        "points": [{"quality_weight": w, "cost_usd": c, "quality": q} for w, c, q in points],
        "hull": np.column_stack(measures.corners).tolist(),
    }


def pool(sweeps: Sequence[Sweep]) -> Sweep:
    """Return the sweeps of different requests as one, in their order."""
    sizes = [sweep.quality.shape[1] for sweep in sweeps]
    return Sweep(
        quality_weights=sweeps[0].quality_weights,
        quality=np.concatenate([sweep.quality for sweep in sweeps], axis=1),
        cost_usd=np.concatenate([sweep.cost_usd for sweep in sweeps], axis=1),
        shares=np.average([sweep.shares for sweep in sweeps], axis=0, weights=sizes).astype(np.float32),
    )
