"""Reads an outcome table: by column and in batches, so that memory holds its arrays and not several copies."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gateway.tables.checks import check_amounts, check_ids, check_names, check_scores, check_shares
from gateway.tables.source import open_source
from gateway.tables.table import (
    COMPLETION_TOKENS,
    COST,
    GATE,
    GATE_COST,
    LATENCY,
    PROMPT_TOKENS,
    SCORE,
    Table,
    TableError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.tables.source import Source
    from routers.types import FloatArray


def read_table(path: Path) -> Table:
    """Read an outcome table: Parquet, or CSV or JSON lines by the suffix `.csv`, `.jsonl` or `.ndjson`.

    Needed are `prompt_id` (each once), `task`, `prompt`, `fold` (any names), and for two models or more
    `score|MODEL` in [0, 1] and `cost|MODEL` in USD. There may be `prompt_tokens|MODEL`, `completion_tokens|MODEL`,
    `latency|MODEL` (seconds), `paraphrase`, and a gate's verdicts `gate|MODEL` with `gate_cost|MODEL`. Any other column
    is ignored. NaN stands for what is not known; of a cost, everywhere if need be. Raises `TableError`.
    """
    with open_source(path) as source:
        models = check_names(source)
        table = Table(
            path=path,
            prompt_ids=_texts(source, "prompt_id"),
            tasks=_labels(source, "task"),
            prompts=_texts(source, "prompt"),
            models=models,
            folds=_labels(source, "fold"),
            scores=_matrix(source, SCORE, models),
            costs_usd=_matrix(source, COST, models),
            prompt_tokens=_matrix(source, PROMPT_TOKENS, models),
            completion_tokens=_matrix(source, COMPLETION_TOKENS, models),
            latencies_s=_measured(source, LATENCY, models),
            paraphrases=_optional_texts(source, "paraphrase") if "paraphrase" in source.schema.names else (),
            verdicts=_measured(source, GATE, models),
            verdict_costs_usd=_measured(source, GATE_COST, models),
        )
    _check(table)
    return table


def _check(table: Table) -> None:
    check_ids(table)
    check_scores(table)
    check_amounts(table, COST, table.costs_usd)
    check_amounts(table, PROMPT_TOKENS, table.prompt_tokens)
    check_amounts(table, COMPLETION_TOKENS, table.completion_tokens)
    if table.latencies_s is not None:
        check_amounts(table, LATENCY, table.latencies_s)
    if table.verdicts is not None:
        check_shares(table, GATE, table.verdicts)
    if table.verdict_costs_usd is not None:
        check_amounts(table, GATE_COST, table.verdict_costs_usd)


def _texts(source: Source, name: str) -> tuple[str, ...]:
    """Return a column of text that has no gaps."""
    values = _optional_texts(source, name)
    texts = tuple(value for value in values if value is not None)
    if len(texts) < len(values):
        row = values.index(None)
        raise TableError(f"{source.path}: column '{name}': nothing in row {row}; fill it, or leave the row out")
    return texts


def _labels(source: Source, name: str) -> tuple[str, ...]:
    """Return a column of few different texts, each held once."""
    return tuple(map(sys.intern, _texts(source, name)))


def _optional_texts(source: Source, name: str) -> tuple[str | None, ...]:
    values: list[str | None] = []
    for batch in source.batches([name]):
        try:
            values += batch.column(name).to_pylist()
        except UnicodeDecodeError as error:
            last = len(values) + batch.num_rows - 1
            raise TableError(
                f"{source.path}: column '{name}': not UTF-8 in rows {len(values)} to {last} ({error}); encode it anew"
            ) from error
    return tuple(values)


def _measured(source: Source, prefix: str, models: tuple[str, ...]) -> FloatArray | None:
    """Return the columns of a kind that there need not be; None where there is none."""
    measured = any(prefix + model in source.schema.names for model in models)
    return _matrix(source, prefix, models) if measured else None


def _matrix(source: Source, prefix: str, models: tuple[str, ...]) -> FloatArray:
    """Return the columns of one kind as `[n, m]`, NaN where a value or a whole column is missing."""
    values = np.full((source.n, len(models)), np.nan, np.float32)
    there = {column: prefix + model for column, model in enumerate(models) if prefix + model in source.schema.names}
    start = 0
    for batch in source.batches(list(there.values())) if there else ():
        rows = slice(start, start + batch.num_rows)
        for column, name in there.items():
            values[rows, column] = _floats(batch.column(name))
        start = rows.stop
    return values


def _floats(column: Any) -> FloatArray:
    # Not safe: whole numbers above 2^24 are rounded, as are all others.
    array: FloatArray = column.cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    return array
