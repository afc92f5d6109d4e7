"""What a plan is chosen on: the rows of a fold, and what a gate said of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.evaluation.folds import digest_of
from gateway.evaluation.problem import EvaluationError
from gateway.tables.table import GATE, TableError
from routers.cascades.staging import PARTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.evaluation.bench import Embed
    from gateway.tables.table import Rows, Table
    from routers.types import Outcomes

    Array = NDArray[np.float64]

#: A fold with fewer complete rows is not cut into parts.
LEAST_ROWS: Final = 4 * PARTS


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan is chosen on: outcomes without gaps, what a gate said of them `[n, m]`, and what that cost.

    `check_share` is the cost of a gate's look, of what the answer cost. `sha256` is that of the table's file.
    """

    table: Table
    sha256: str
    fold: str
    outcomes: Outcomes
    verdicts: Array
    check_share: float


def open_ground(table: Table, fold: str, embed: Embed) -> Ground:
    """Take the rows of a fold that lack nothing. Raises `TableError` and `EvaluationError`."""
    if table.verdicts is None:
        remedy = "run `pointsman profile` with --gate, and give that gate here"
        raise TableError(f"{table.path}: no column '{GATE}MODEL', what a gate says of the answers; {remedy}")
    rows = table.complete(table.rows(fold), fold)
    if len(rows) < LEAST_ROWS:
        raise EvaluationError(
            f"{table.path}: {len(rows)} rows of the fold {fold!r} have a score and a cost of every model; "
            f"a plan is chosen on {LEAST_ROWS} at least"
        )
    found = embed([table.prompts[row] for row in rows])
    embeddings = np.zeros((len(table.prompts), found.shape[1]), np.float32)
    embeddings[rows] = found
    outcomes = table.outcomes(rows, table.models, embeddings)
    verdicts = table.verdicts[rows].astype(np.float64)
    return Ground(table, digest_of(table), fold, outcomes, verdicts, _check_share(table, rows))


def _check_share(table: Table, rows: Rows) -> float:
    """Return what a gate's look costs, of what the answer costs; 0 where nobody says."""
    if table.verdict_costs_usd is None:
        return 0.0
    known = ~np.isnan(table.verdict_costs_usd[rows])
    answers = float(table.costs_usd[rows][known].sum(dtype=np.float64))
    return float(table.verdict_costs_usd[rows][known].sum(dtype=np.float64)) / answers if answers else 0.0
