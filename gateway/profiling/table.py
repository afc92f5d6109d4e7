"""The outcome table: a row a prompt, and for every model its score, cost and tokens. Parquet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gateway.profiling.probes import Fold, fold_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gateway.profiling.journal import Result
    from gateway.profiling.probes import Probe

    FloatArray = NDArray[np.float32]

SCORE, COST, PROMPT_TOKENS, COMPLETION_TOKENS = "score|", "cost|", "prompt_tokens|", "completion_tokens|"
FOLDS: Mapping[str, Fold] = {"train": "train", "dev": "dev"}


class TableError(Exception):
    """An outcome table cannot be used; the message names the file, the column and the remedy."""


@dataclass(frozen=True, slots=True)
class Table:
    """Outcomes of `n` prompts for `m` models; the arrays are `[n, m]`, and NaN means: not known."""

    prompt_ids: tuple[str, ...]
    tasks: tuple[str, ...]
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    scores: FloatArray
    costs_usd: FloatArray
    prompt_tokens: FloatArray
    completion_tokens: FloatArray
    folds: tuple[Fold, ...]


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
    _write_whole(path, pa.table(columns))


def read_table(path: Path) -> Table:
    """Read an outcome table.

    Needed are `prompt_id`, `task`, `prompt`, `fold` (`train` or `dev`), and `score|MODEL` in [0, 1] with
    `cost|MODEL` in USD for every model; token columns may be absent. Raises `TableError` otherwise.
    """
    columns = _Columns(path, _read(path))
    models = columns.models()
    scores, costs_usd = columns.matrix(SCORE, models), columns.matrix(COST, models)
    columns.require(SCORE, models, np.any(~np.isnan(scores), axis=0), "holds no score; leave the model out")
    in_range = np.isnan(scores) | ((scores >= 0) & (scores <= 1))
    columns.require(SCORE, models, np.all(in_range, axis=0), "has scores outside [0, 1]; rescale them")
    valid = np.isnan(costs_usd) | ((costs_usd >= 0) & np.isfinite(costs_usd))
    columns.require(COST, models, np.all(valid, axis=0), "has negative or infinite costs; give USD, or NaN if unknown")
    return Table(
        prompt_ids=columns.texts("prompt_id"),
        tasks=columns.texts("task"),
        prompts=columns.texts("prompt"),
        models=models,
        scores=scores,
        costs_usd=costs_usd,
        prompt_tokens=columns.matrix(PROMPT_TOKENS, models, optional=True),
        completion_tokens=columns.matrix(COMPLETION_TOKENS, models, optional=True),
        folds=columns.folds(),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a file that may not be what it should be."""

    path: Path
    data: Any

    def models(self) -> tuple[str, ...]:
        """Return the models that have a score column, in the file's order."""
        models = tuple(name[len(SCORE) :] for name in self.data.column_names if name.startswith(SCORE))
        if not models:
            raise TableError(f"{self.path}: no column '{SCORE}MODEL'; write the table with `pointsman profile`")
        if self.data.num_rows == 0:
            raise TableError(f"{self.path}: column '{SCORE}{models[0]}': 0 rows; profile at least one probe")
        return models

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a column of strings."""
        if name not in self.data.column_names:
            raise TableError(f"{self.path}: no column '{name}'; add it")
        values = self.data[name].to_pylist()
        if not all(isinstance(value, str) for value in values):
            raise TableError(f"{self.path}: column '{name}': holds something else than strings; replace it")
        return tuple(values)

    def folds(self) -> tuple[Fold, ...]:
        """Return the folds."""
        values = self.texts("fold")
        if unknown := sorted(set(values) - FOLDS.keys()):
            raise TableError(f"{self.path}: column 'fold': unknown value {unknown[0]!r}; use 'train' or 'dev'")
        return tuple(FOLDS[value] for value in values)

    def matrix(self, prefix: str, models: tuple[str, ...], *, optional: bool = False) -> FloatArray:
        """Return the columns of one kind as `[n, m]`; NaN for a missing one that is optional."""
        return np.stack([self._numbers(prefix + model, optional=optional) for model in models], axis=1)

    def require(self, prefix: str, models: tuple[str, ...], holds: NDArray[np.bool_], complaint: str) -> None:
        """Raise `TableError` for the first model for which something does not hold."""
        for model, good in zip(models, holds, strict=True):
            if not good:
                raise TableError(f"{self.path}: column '{prefix}{model}': {complaint}")

    def _numbers(self, name: str, *, optional: bool) -> FloatArray:
        if name not in self.data.column_names:
            if optional:
                return np.full(self.data.num_rows, np.nan, dtype=np.float32)
            raise TableError(f"{self.path}: no column '{name}'; add it, with NaN where the value is unknown")
        try:
            values = self.data[name].cast(pa.float32()).to_numpy()
        except pa.ArrowException as error:
            raise TableError(f"{self.path}: column '{name}': not numbers ({error}); convert it") from error
        return np.asarray(values, dtype=np.float32)


def _read(path: Path) -> Any:
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path}: not a Parquet file that can be read ({error}); give another path") from error


def _floats(values: Iterable[float | None]) -> Any:
    return pa.array([float("nan") if value is None else value for value in values], pa.float32())


def _write_whole(path: Path, table: Any) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
