"""Writes the outcome table of a profiling run: Parquet, as `gateway.tables.read` reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.profiling.probes import fold_of
from gateway.tables.table import COMPLETION_TOKENS, COST, GATE, GATE_COST, LATENCY, PROMPT_TOKENS, SCORE, TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gateway.profiling.journal import Result
    from gateway.profiling.probes import Probe


def write_table(path: Path, probes: Sequence[Probe], results: Sequence[Result], models: Sequence[str]) -> None:
    """Write the outcomes of a profiling run; the file is complete or not there.

    Raises `TableError` if a model has answered nothing: no router can be fitted to that.
    """
    cells = {(result.model, result.prompt_id): result for result in results if result.score is not None}
    rows = {model: [cells.get((model, probe.prompt_id)) for probe in probes] for model in models}
    for model, row in rows.items():
        if not any(row):
            raise TableError(
                f"{path}: column '{SCORE}{model}': the model answered no probe; "
                "see its errors in the journal, then run the command again, or leave the model out"
            )
    columns: dict[str, Any] = {
        "prompt_id": pa.array([probe.prompt_id for probe in probes], pa.large_string()),
        "task": pa.array([probe.task for probe in probes], pa.large_string()),
        "prompt": pa.array([probe.prompt for probe in probes], pa.large_string()),
    }
    columns |= {SCORE + model: _floats(r.score if r else None for r in row) for model, row in rows.items()}
    columns |= {COST + model: _floats(r.asked.cost_usd if r else None for r in row) for model, row in rows.items()}
    columns["fold"] = pa.array([fold_of(probe) for probe in probes], pa.large_string())
    for model, row in rows.items():
        columns[PROMPT_TOKENS + model] = _floats(r.asked.prompt_tokens if r else None for r in row)
    for model, row in rows.items():
        columns[COMPLETION_TOKENS + model] = _floats(r.asked.completion_tokens if r else None for r in row)
    for model, row in rows.items():
        columns[LATENCY + model] = _floats(r.asked.latency_s if r else None for r in row)
    if any(result.asked.verdict is not None for result in cells.values()):
        columns |= {GATE + model: _floats(r.asked.verdict if r else None for r in row) for model, row in rows.items()}
        columns |= {GATE_COST + m: _floats(r.asked.verdict_usd if r else None for r in row) for m, row in rows.items()}
    _write_whole(path, pa.table(columns))


def _floats(values: Iterable[float | None]) -> Any:
    return pa.array([float("nan") if value is None else value for value in values], pa.float32())


def _write_whole(path: Path, table: Any) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
