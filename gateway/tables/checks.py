"""What an outcome table must hold to, each with the words that name the file, the column and the remedy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gateway.tables.source import TEXTS
from gateway.tables.table import COMPLETION_TOKENS, COST, GATE, GATE_COST, LATENCY, PROMPT_TOKENS, SCORE, TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.tables.source import Source
    from gateway.tables.table import Table
    from routers.types import FloatArray

PREFIXES = (SCORE, COST, PROMPT_TOKENS, COMPLETION_TOKENS, LATENCY, GATE, GATE_COST)
#: Texts that there may be no row without.
NEEDED = ("prompt_id", "task", "prompt", "fold")
#: Choosing takes two.
LEAST_MODELS = 2


def check_names(source: Source) -> tuple[str, ...]:
    """Return the models that have a score column, in the file's order.

    Raises `TableError` where columns are missing, are named twice or are of the wrong type, or where there are no
    rows.
    """
    names = source.schema.names
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise TableError(f"{source.path}: column '{twice[0]}': there are {names.count(twice[0])}; leave one")
    models = _models(source)
    for name in (*NEEDED, *(COST + model for model in models)):
        if name not in names:
            raise TableError(f"{source.path}: no column '{name}'; add it")
    for name in names:
        _check_type(source, name)
    if source.n == 0:
        raise TableError(f"{source.path}: column '{SCORE}{models[0]}': 0 rows; profile at least one prompt")
    return models


def check_ids(table: Table) -> None:
    """Raise `TableError` where two rows have the same id."""
    (name, n), *_ = Counter(table.prompt_ids).most_common(1)
    if n > 1:
        raise TableError(f"{table.path}: column 'prompt_id': {n} rows are {name!r}; a prompt has one row")


def check_scores(table: Table) -> None:
    """Raise `TableError` where a model has no score, or one that is none."""
    scores = table.scores
    _require(table, SCORE, np.any(~np.isnan(scores), axis=0), "holds no score; leave the model out")
    in_range = np.isnan(scores) | ((scores >= 0) & (scores <= 1))
    _require(table, SCORE, np.all(in_range, axis=0), "has scores outside [0, 1]; rescale them")


def check_costs(table: Table) -> None:
    """Raise `TableError` where no cost of a model is known: a router may go by prices instead, but not a report."""
    known = np.any(~np.isnan(table.costs_usd), axis=0)
    remedy = (
        "state the model's `price` and run `pointsman profile` again (nothing is asked twice), or write USD, 0 if free"
    )
    _require(table, COST, known, f"holds no cost; {remedy}")


def check_amounts(table: Table, prefix: str, values: FloatArray) -> None:
    """Raise `TableError` where an amount is negative or infinite."""
    valid = np.isnan(values) | ((values >= 0) & np.isfinite(values))
    complaint = "has negative or infinite values; mend them, or leave empty what is not known"
    _require(table, prefix, np.all(valid, axis=0), complaint)


def check_shares(table: Table, prefix: str, values: FloatArray) -> None:
    """Raise `TableError` where a share is outside [0, 1]."""
    valid = np.isnan(values) | ((values >= 0) & (values <= 1))
    _require(table, prefix, np.all(valid, axis=0), "has values outside [0, 1]; rescale them")


def _models(source: Source) -> tuple[str, ...]:
    models = tuple(name.removeprefix(SCORE) for name in source.schema.names if name.startswith(SCORE))
    if "" in models:
        raise TableError(f"{source.path}: column '{SCORE}': no model's name follows; rename it, or leave it out")
    if not models:
        raise TableError(f"{source.path}: no column '{SCORE}MODEL'; write the table with `pointsman profile`")
    if len(models) < LEAST_MODELS:
        raise TableError(f"{source.path}: column '{SCORE}{models[0]}': the only model; routing needs two, profile more")
    return models


def _check_type(source: Source, name: str) -> None:
    found = source.schema.field(name).type
    if name in TEXTS and not _is_text(found):
        raise TableError(f"{source.path}: column '{name}': holds {found}, not text; convert it")
    if name.startswith(PREFIXES) and not _is_number(found):
        raise TableError(f"{source.path}: column '{name}': holds {found}, not numbers; convert it, NaN for unknown")


def _is_text(found: Any) -> bool:
    if pa.types.is_dictionary(found):
        return _is_text(found.value_type)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(is_kind(found) for is_kind in kinds)


def _is_number(found: Any) -> bool:
    kinds = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
    return any(is_kind(found) for is_kind in kinds)


def _require(table: Table, prefix: str, holds: NDArray[np.bool_], complaint: str) -> None:
    """Raise `TableError` for the first model for which something does not hold."""
    for model, good in zip(table.models, holds, strict=True):
        if not good:
            raise TableError(f"{table.path}: column '{prefix}{model}': {complaint}")
