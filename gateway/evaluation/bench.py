"""A table made ready to evaluate routers on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.evaluation.folds import digest_of, folds_of, select
from gateway.evaluation.problem import EvaluationError
from gateway.tables.checks import check_costs
from gateway.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.evaluation.folds import Folds, Selection
    from gateway.evaluation.settings import Settings
    from gateway.tables.table import Table
    from routers.types import FloatArray

    Embed = Callable[[Sequence[str]], FloatArray]


@dataclass(frozen=True, slots=True)
class Bench:
    """A table under the name that a report gives it, its file's digest, and the folds selected from it."""

    name: str
    table: Table
    sha256: str
    rows: Selection
    folds: Folds


def open_benches(paths: Sequence[Path], settings: Settings, embed: Embed) -> list[Bench]:
    """Read every table, select its folds, and embed its prompts.

    All tables are read and checked before the first is embedded. Raises `EvaluationError` and `TableError`.
    """
    names = [path.stem for path in paths]
    if twice := [path for path, name in zip(paths, names, strict=True) if names.count(name) > 1]:
        raise EvaluationError(f"TABLE: {twice[1]} would be called {twice[1].stem!r}, as {twice[0]} is; rename one")
    tables = [read_table(path) for path in paths]
    for table in tables:
        check_costs(table)
    selections = [select(table, settings) for table in tables]
    return [
        Bench(name, table, digest_of(table), rows, _embedded(table, rows, embed))
        for name, table, rows in zip(names, tables, selections, strict=True)
    ]


def no_embeddings(texts: Sequence[str]) -> FloatArray:
    """Return vectors without a single number, for routers that read none."""
    return np.zeros((len(texts), 0), np.float32)


def _embedded(table: Table, rows: Selection, embed: Embed) -> Folds:
    embeddings = embed(table.prompts)
    others = embed([text or "" for text in table.paraphrases]) if table.paraphrases else None
    return folds_of(table, rows, embeddings, others)
