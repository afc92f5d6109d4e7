from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gateway.evaluation.folds import folds_of, select
from gateway.evaluation.problem import EvaluationError
from gateway.evaluation.settings import Settings
from gateway.tables.table import Table, TableError


def table(**changes) -> Table:
    """Return six rows: three to learn from, three to judge on, of which the first is a copy of one of those."""
    costs = np.ones((6, 2), np.float32)
    fields = {
        "path": Path("t.parquet"),
        "prompt_ids": tuple("abcdef"),
        "tasks": ("x", "y", "y", "x", "x", "y"),
        "prompts": ("one", "two", "three", "Two ", "four", "five"),
        "models": ("a", "b"),
        "folds": ("train", "train", "train", "dev", "dev", "dev"),
        "scores": np.ones((6, 2), np.float32),
        "costs_usd": costs,
        "prompt_tokens": costs * np.nan,
        "completion_tokens": costs * np.nan,
    }
    return Table(**{**fields, **changes})


def embeddings(n=6):
    return np.eye(n, dtype=np.float32)


def test_test_rows_that_were_trained_on_are_left_out():
    """Case and white space do not make a prompt another."""
    rows = select(table(), Settings())

    assert ([0, 1, 2], [4, 5], 1, 0) == (rows.train.tolist(), rows.test.tolist(), rows.duplicates, rows.incomplete)


def test_they_may_be_kept():
    """To compare with numbers that others found so."""
    rows = select(table(), Settings(keep_duplicates=True))

    assert ([3, 4, 5], 0) == (rows.test.tolist(), rows.duplicates)


@pytest.mark.parametrize("column", ["scores", "costs_usd"])
def test_test_rows_with_a_gap_are_left_out_and_counted(column):
    """In a score or in a cost; training rows keep theirs."""
    values = np.ones((6, 2), np.float32)
    values[0, 0] = values[4, 1] = np.nan
    rows = select(table(**{column: values}), Settings())

    assert ([0, 1, 2], [5], 1) == (rows.train.tolist(), rows.test.tolist(), rows.incomplete)


def test_a_fold_of_known_prompts_alone_is_an_error_that_says_so():
    """Nothing would be left to judge on; who wants to judge on them all the same can."""
    same = table(prompts=("the same prompt",) * 6)

    with pytest.raises(
        TableError, match=r"t\.parquet: column 'prompt': all 3 prompts of the fold 'dev' are in the fold"
    ):
        select(same, Settings())
    assert 3 == len(select(same, Settings(keep_duplicates=True)).test)


def test_no_complete_row_is_an_error_that_names_the_model():
    """The one that lacks most."""
    costs = np.ones((6, 2), np.float32)
    costs[:, 1] = np.nan

    with pytest.raises(TableError, match=r"t\.parquet: no row of the fold 'dev' .*'b' lacks most"):
        select(table(costs_usd=costs), Settings())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"test_fold": "dve"}, r"--test-fold: no row of t\.parquet is of the fold 'dve'; did you mean 'dev'\?"),
        ({"train_fold": "tarin"}, r"--train-fold: .*did you mean 'train'\?"),
    ],
)
def test_an_unknown_fold_is_an_error_with_a_hint(settings, said):
    """It names the option, the file and the nearest fold."""
    with pytest.raises(EvaluationError, match=said):
        select(table(), Settings(**settings))


def test_a_task_left_out_is_learned_from_nowhere():
    """And nothing but it is judged."""
    folds = folds_of(table(), select(table(), Settings()), embeddings()).without("y")

    assert (("x",), ("y",)) == (folds.train.tasks, folds.test.tasks)


def test_paraphrases_are_those_of_test_rows_with_their_vectors():
    """Row 5 is the second row of the test fold; row 4 has none."""
    written = (None, "2nd", None, None, None, "V")
    folds = folds_of(
        table(paraphrases=written), select(table(paraphrases=written), Settings()), embeddings(), 2 * embeddings()
    )

    ((place, context),) = folds.paraphrases
    assert (1, "V", 2.0) == (place, context.text, context.embedding[5])
