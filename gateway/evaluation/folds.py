"""The two folds of a table that an evaluation is about: learned from, and judged on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.config.loader import did_you_mean
from gateway.evaluation.problem import EvaluationError
from gateway.signals.request import estimate_prompt_tokens
from gateway.tables.table import TableError
from routers.types import Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gateway.evaluation.settings import Settings
    from gateway.tables.table import Table
    from routers.types import FloatArray, Outcomes

    Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a table to learn from and to judge on, and how many of the latter were left out and why."""

    train: Rows
    test: Rows
    duplicates: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class Folds:
    """Outcomes to learn from and to judge on: in `test` no score and no cost is missing.

    `paraphrases` has requests of the test fold in other words, each with the number of its row there.
    """

    train: Outcomes
    test: Outcomes
    paraphrases: tuple[tuple[int, Context], ...] = ()

    def without(self, task: str) -> Folds:
        """Return the same, learned from all other tasks and judged on this one."""
        train = np.flatnonzero(np.array(self.train.tasks) != task)
        test = np.flatnonzero(np.array(self.test.tasks) == task)
        return Folds(self.train.take(train), self.test.take(test))

    def of_models(self, models: Sequence[str]) -> Folds:
        """Return the same for some of the models."""
        return replace(self, train=self.train.of_models(models), test=self.test.of_models(models))


def select(table: Table, settings: Settings) -> Selection:
    """Return the rows of both folds, without test rows that are incomplete or have a training row's prompt.

    Raises `EvaluationError` for a fold that the table lacks, and `TableError` where no test row is left.
    """
    train_fold, test_fold = settings.train_fold, settings.test_fold
    for option, fold in (("--train-fold", train_fold), ("--test-fold", test_fold)):
        if fold not in table.folds:
            hint = did_you_mean(fold, set(table.folds))
            raise EvaluationError(f"{option}: no row of {table.path} is of the fold {fold!r}; {hint}")
    train, test, duplicates = table.rows(train_fold), table.rows(test_fold), 0
    if not settings.keep_duplicates:
        test, duplicates = table.deduplicated(train, test)
    if not len(test):
        raise TableError(
            f"{table.path}: column 'prompt': all {duplicates} prompts of the fold {test_fold!r} are in the fold "
            f"{train_fold!r} too; test on others, or give --keep-duplicates"
        )
    complete = table.complete(test, test_fold)
    return Selection(train, complete, duplicates, len(test) - len(complete))


def folds_of(table: Table, rows: Selection, embeddings: FloatArray, paraphrases: FloatArray | None = None) -> Folds:
    """Return the folds; `embeddings` and `paraphrases` `[n, d]` are of all the table's prompts and paraphrases."""
    train = table.outcomes(rows.train, table.models, embeddings)
    test = table.outcomes(rows.test, table.models, embeddings)
    return Folds(train, test, () if paraphrases is None else tuple(_paraphrased(table, rows.test, paraphrases)))


def digest_of(table: Table) -> str:
    """Return the sha256 of a table's file."""
    with table.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _paraphrased(table: Table, test: Rows, embeddings: FloatArray) -> Iterator[tuple[int, Context]]:
    for place, row in enumerate(test):
        if text := table.paraphrases[row]:
            tokens = estimate_prompt_tokens({"messages": [{"content": text}]})
            yield place, Context(text, tokens, embeddings[row] if embeddings.shape[1] else None)
