"""The fold that is learned from, split into parts: each is judged by what was learned from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.evaluation.folds import Folds
from gateway.evaluation.problem import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gateway.evaluation.bench import Embed
    from gateway.tables.table import Table
    from routers.types import FloatArray, Outcomes

    Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Parts:
    """Outcomes of one fold, and for each part the rows of these to learn from and those to judge.

    Judged is only where no score and no cost is missing, and no prompt that was learned from.
    """

    outcomes: Outcomes
    learned: tuple[Rows, ...]
    judged: tuple[Rows, ...]

    @property
    def n_judged(self) -> int:
        """Return the number of rows that are judged."""
        return sum(len(rows) for rows in self.judged)

    def pooled(self) -> Outcomes:
        """Return all rows that are judged, part by part."""
        return self.outcomes.take(np.concatenate(self.judged))

    def folds(self) -> Iterator[Folds]:
        """Yield, for each part, what to learn from and what to judge."""
        for learned, judged in zip(self.learned, self.judged, strict=True):
            yield Folds(self.outcomes.take(learned), self.outcomes.take(judged))


def split(table: Table, fold: str, count: int, embed: Embed, seed: int = 0) -> Parts:
    """Split a fold of a table into `count` parts, stratified by task. Of other folds nothing is used, nor embedded.

    Raises `TableError` for a fold that there is not, or without a complete row; `EvaluationError` where there are too
    few rows for so many parts.
    """
    rows = table.rows(fold)
    complete = np.isin(rows, table.complete(rows, fold))
    _check(table, fold, int(complete.sum()), count)
    parts = _dealt([table.tasks[row] for row in rows], complete, count, seed)
    learned, judged = [], []
    for part in range(count):
        others = np.flatnonzero(parts != part)
        own, _ = table.deduplicated(rows[others], rows[(parts == part) & complete])
        if not len(own):
            raise EvaluationError(f"--folds: {count} parts of {table.path} leave one without a prompt of its own")
        learned.append(others)
        judged.append(np.searchsorted(rows, own))
    outcomes = table.outcomes(rows, table.models, _embedded(table, rows, embed))
    return Parts(outcomes, tuple(learned), tuple(judged))


def _check(table: Table, fold: str, complete: int, count: int) -> None:
    if complete < count:
        raise EvaluationError(
            f"--folds: {count} is more than the {complete} rows of the fold {fold!r} of {table.path} "
            "that have a score and a cost of every model; ask for fewer"
        )


def _dealt(tasks: list[str], complete: NDArray[np.bool_], count: int, seed: int) -> Rows:
    """Return the part of each row: those of a task are dealt out in turn, in an order that is drawn."""
    luck = np.random.default_rng(seed).random(len(tasks))
    parts = np.empty(len(tasks), np.intp)
    parts[np.lexsort((luck, np.array(tasks), ~complete))] = np.arange(len(tasks)) % count
    return parts


def _embedded(table: Table, rows: Rows, embed: Embed) -> FloatArray:
    """Return vectors for the table's rows, zero for all that are not asked for."""
    found = embed([table.prompts[row] for row in rows])
    vectors = np.zeros((len(table.prompts), found.shape[1]), np.float32)
    vectors[rows] = found
    return vectors
