"""The report as a document: all numbers of an evaluation, ready to be written as JSON."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING, Any

from routers.evaluation.pairs import judge_pair
from routers.evaluation.yardstick import means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gateway.evaluation.folds import Folds, Selection
    from gateway.evaluation.jobs import Result
    from gateway.tables.table import Table

    Entry = dict[str, Any]

VERSION = 1


def document(command: Sequence[str], now: datetime, sections: Mapping[str, Sequence[Entry]]) -> Entry:
    """Return the whole report; what is not a number becomes None."""
    content: Entry = {"version": VERSION, "created": now.isoformat(), "command": list(command), **sections}
    found: Entry = finite(content)
    return found


def table_entry(name: str, table: Table, sha256: str, rows: Selection, folds: Folds) -> Entry:
    """Return what the report says of a table: its folds, its models and its tasks, and what was left out."""
    test, trained = folds.test, means(folds.train.rewards)
    quality, cost = means(test.rewards), means(test.costs_usd)
    return {
        "name": name,
        "path": str(table.path),
        "sha256": sha256,
        "train_fold": table.folds[rows.train[0]],
        "test_fold": table.folds[rows.test[0]],
        "n_train": folds.train.n,
        "n_test": test.n,
        "models": [
            {
                "model": model,
                "quality": float(quality[place]),
                "cost_usd": float(cost[place]),
                "quality_train": float(trained[place]),
            }
            for place, model in enumerate(test.models)
        ],
        "tasks": dict(sorted(Counter(test.tasks).items())),
        "duplicates_removed": rows.duplicates,
        "incomplete_removed": rows.incomplete,
    }


def pair_entry(table: str, folds: Folds, results: Sequence[Result]) -> Entry:
    """Return how a router chooses between two models, the strong one first; averaged over the seeds."""
    strong, weak = folds.test.models
    better, worse = means(folds.test.rewards).tolist()
    judged = [
        judge_pair(sweep.shares[:, 0].astype(float), sweep.points[1], worse, better)
        for result in results
        for sweep in result.sweeps
    ]
    return {
        "table": table,
        "router": results[0].router,
        "strong": strong,
        "weak": weak,
        "apgr": _mean([one.apgr for one in judged]),
        "cpt50": _mean([one.cpt50 for one in judged]),
        "cpt80": _mean([one.cpt80 for one in judged]),
    }


def finite(value: Any) -> Any:
    """Return the same JSON with None for each number that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
