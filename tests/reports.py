"""Reports of an evaluation, made up, as `report.json` has them."""

from __future__ import annotations

import json
import math
from typing import Any

WEIGHTS = [0.0, 0.25, 0.5, 0.7, 1.0]
#: Names that would run, break out, turn text around, or mean something to a formula or a prototype.
HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\"'><svg onload=window.hacked=1>&amp;",
    "\u202e\u05e9\u05dc\u05d5\u05dd",
    "$x_{$ 模型 🦊\x07",
    "__proto__",
]
NUMBERS = ["aiq_log", "deferral_area", "qnc", "hypervolume", "cpt90", "perf_gain", "cost_save", "pareto_distance"]
NUMBERS += ["gap_to_oracle", "arena_score", "rank_score", "robustness", "fit_s"]


def measured(table: str, router: str, models: list[str], **changes: Any) -> dict[str, Any]:
    """Return the entry of a router or reference: a curve from the first model to the last."""
    lift = changes.pop("lift", 0.0)
    points = [
        {
            "quality_weight": weight,
            "cost_usd": 0.0001 * 10 ** (weight + lift),
            "quality": 0.5 + 0.2 * weight + lift,
            "shares": {models[0]: 1 - weight, models[-1]: weight} if len(models) > 1 else {models[0]: 1.0},
        }
        for weight in WEIGHTS
    ]
    return {
        "table": table,
        "router": router,
        **dict.fromkeys(NUMBERS, 0.25),
        "aiq": 0.6 + lift,
        "max_accuracy": 0.7 + lift,
        "cost_at_max_usd": 0.001,
        "match_cost_ratio": 0.46,
        "latency_us": {"p50": 40.0, "p99": 90.0},
        "seeds": [{"seed": 0, "aiq": 0.6, "max_accuracy": 0.7}, {"seed": 1, "aiq": 0.61, "max_accuracy": 0.7}],
        "points": points,
        "hull": [[point["cost_usd"], point["quality"]] for point in points],
        "intervals": {"aiq": [0.58, 0.63], "max_accuracy": [0.68, 0.72]},
        "differences": [
            difference("best_single", 0.1, "better"),
            difference("zero", 0.02, "better"),
            difference("task_oracle", -0.001, "no difference"),
            difference("oracle", -0.3, "worse"),
        ],
        **changes,
    }


def difference(reference: str, value: float, verdict: str) -> dict[str, Any]:
    interval = [value - 0.01, value + 0.01]
    return {"reference": reference, "metric": "aiq", "difference": value, "interval": interval, "verdict": verdict}


def constant(table: str, name: str, model: str, quality: float = 0.7, cost_usd: float = 0.001) -> dict[str, Any]:
    point = {"quality_weight": None, "cost_usd": cost_usd, "quality": quality, "shares": {model: 1.0}}
    changes = {"latency_us": None, "seeds": [], "hull": [], "differences": [], "aiq": 0.5, "max_accuracy": quality}
    return measured(table, name, [model], **changes) | {"points": [point], "cost_at_max_usd": cost_usd}


def report(
    tables: tuple[str, ...] = ("mmlu",),
    routers: tuple[str, ...] = ("recommended", "knn"),
    models: tuple[str, ...] = ("small", "medium", "large"),
    tasks: tuple[str, ...] = ("law", "maths"),
) -> dict[str, Any]:
    """Return a report with each router on each table; models are named from the cheapest to the dearest."""
    document: dict[str, Any] = {
        "version": 1,
        "created": "2026-11-22T13:00:00+00:00",
        "command": ["pointsman", "evaluate", "a table.parquet"],
        "tables": [facts(table, models, tasks) for table in tables],
        **{kind: [] for kind in ("routers", "references", "pairs", "leave_task_out")},
    }
    for table in tables:
        document["routers"] += [
            measured(table, router, list(models), lift=-0.01 * number) for number, router in enumerate(routers)
        ]
        document["references"] += references(table, list(models))
        document["pairs"] += [paired(table, router, models) for router in routers]
        document["leave_task_out"] += [left_out(table, router, task) for router in routers for task in tasks]
    return json.loads(json.dumps(document, allow_nan=False))


def facts(table: str, models: tuple[str, ...], tasks: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": table,
        "path": f"data/{table}.parquet",
        "sha256": "ab" * 32,
        "train_fold": "train",
        "test_fold": "dev",
        "n_train": 4000,
        "n_test": 1234,
        "models": [
            {
                "model": model,
                "quality": 0.5 + 0.2 * place / len(models) + 0.03 * math.sin(7 * place),
                "cost_usd": 0.0001 * 10 ** (place / len(models)),
                "quality_train": 0.5,
            }
            for place, model in enumerate(models)
        ],
        "tasks": dict.fromkeys(tasks, 617),
        "duplicates_removed": 7,
        "incomplete_removed": 0,
    }


def references(table: str, models: list[str]) -> list[dict[str, Any]]:
    return [
        constant(table, "best_single", models[-1]),
        constant(table, "cheapest", models[0], 0.5, 0.0001),
        constant(table, "random", models[0], 0.55, 0.0004),
        measured(table, "zero", models, lift=-0.02, differences=[], latency_us=None),
        measured(table, "task_oracle", models, lift=0.01, differences=[], latency_us=None),
        measured(table, "oracle", models, lift=0.1, differences=[], latency_us=None),
        *(constant(table, f"single:{model}", model) for model in models),
    ]


def paired(table: str, router: str, models: tuple[str, ...]) -> dict[str, Any]:
    numbers = {"apgr": 0.55, "cpt50": 0.31, "cpt80": None}
    return {"table": table, "router": router, "strong": models[-1], "weak": models[0], **numbers}


def left_out(table: str, router: str, task: str) -> dict[str, Any]:
    return {
        "table": table,
        "router": router,
        "task": task,
        "n": 617,
        "accuracy": 0.65,
        "cost_usd": 0.0005,
        "best_single_accuracy": 0.7,
        "best_single_cost_usd": 0.001,
        "gap_points": -5.0,
    }


def emptied(value: Any) -> Any:
    """Return the same report with None for every number that may be missing."""
    if isinstance(value, dict):
        return {key: emptied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [emptied(one) for one in value]
    return None if isinstance(value, int | float) else value
