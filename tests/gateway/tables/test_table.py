import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.request import estimate_prompt_tokens
from gateway.tables.table import Table, TableError


def table(prompts=("one", "two", "three"), folds=("train", "dev", "train"), **changes) -> Table:
    n = len(prompts)
    cells = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    fields = {
        "path": Path("t.parquet"),
        "prompt_ids": tuple(map(str, range(n))),
        "tasks": tuple(f"task {row}" for row in range(n)),
        "prompts": tuple(prompts),
        "models": ("a", "b"),
        "folds": folds,
        "scores": cells / (2 * n),
        "costs_usd": cells,
        "prompt_tokens": cells * math.nan,
        "completion_tokens": cells + 100,
    }
    return Table(**fields | changes)


def test_a_folds_rows_are_in_the_files_order():
    """Whatever the fold is called."""
    found = table(folds=("train", "held out", "train"))

    assert [0, 2] == found.rows("train").tolist()
    assert [1] == found.rows("held out").tolist()


def test_a_fold_that_is_not_there_is_refused():
    """The message lists those that are."""
    with pytest.raises(
        TableError,
        match=r"^t.parquet: column 'fold': no row is 'test'; the folds are 'train' \(2 rows\), 'dev' \(1 rows\)$",
    ):
        table().rows("test")


def test_complete_rows_lack_neither_score_nor_cost():
    """Of any model; the others of the fold are left out."""
    gaps = np.array([[1, 1], [math.nan, 1], [1, 1]], np.float32)

    assert [2] == table(scores=gaps, costs_usd=gaps[[1, 0, 2]]).complete(np.array([0, 1, 2]), "train").tolist()


def test_a_fold_without_a_complete_row_is_refused():
    """The message names the model that lacks most, and the remedy."""
    gaps = np.array([[1, math.nan]] * 3, np.float32)

    with pytest.raises(
        TableError, match=r"^t.parquet: no row of the fold 'train' has .* \('b' lacks most\); fill the gaps"
    ):
        table(scores=gaps).complete(np.array([0, 2]), "train")


def test_outcomes_are_of_the_rows_and_models_asked_for():
    """In the order asked for; prompts are as long as a request with them would be estimated to be."""
    embeddings = np.arange(6, dtype=np.float32).reshape(3, 2)

    outcomes = table().outcomes(np.array([2, 0]), ["b"], embeddings)

    assert (("b",), ("three", "one"), ("task 2", "task 0")) == (outcomes.models, outcomes.texts, outcomes.tasks)
    np.testing.assert_array_equal([[4, 5], [0, 1]], outcomes.embeddings)
    np.testing.assert_array_equal(np.array([[5 / 6], [1 / 6]], np.float32), outcomes.rewards)
    np.testing.assert_array_equal([[5], [1]], outcomes.costs_usd)
    np.testing.assert_array_equal([[105], [101]], outcomes.completion_tokens)
    request = {"messages": [{"role": "user", "content": "three"}]}
    assert estimate_prompt_tokens(request) == outcomes.prompt_tokens[0]
    assert outcomes.latencies_s is None


def test_outcomes_have_latencies_where_they_were_measured():
    """Seconds, in the same shape as rewards."""
    measured = table(latencies_s=np.array([[1, 2], [3, 4], [5, 6]], np.float32))

    np.testing.assert_array_equal([[4, 3]], measured.outcomes(np.array([1]), ["b", "a"], np.zeros((3, 2))).latencies_s)


def test_outcomes_of_a_model_that_is_not_there_are_refused():
    """The message names its column."""
    with pytest.raises(TableError, match=r"^t.parquet: no column 'score\|c': profile that model too"):
        table().outcomes(np.array([0]), ["a", "c"], np.zeros((3, 2)))


def test_a_prompt_that_was_trained_on_is_no_test():
    """Upper and lower case and white space do not make another prompt; what is left keeps its order."""
    found = table(prompts=("What is  2+2?", "Weiß", "what is 2+2?\n", "else", "WEISS", "else"), folds=("f",) * 6)

    rows, removed = found.deduplicated(np.array([0, 1]), np.array([5, 4, 3, 2]))

    assert ([5, 3], 2) == (rows.tolist(), removed)


def test_nothing_is_removed_where_nothing_was_trained_on():
    """Rows stay an array of row numbers, also an empty one."""
    rows, removed = table().deduplicated(np.array([], np.intp), np.array([], np.intp))

    assert ([], 0, np.intp) == (rows.tolist(), removed, rows.dtype)


@given(st.lists(st.text("aA ", max_size=3), min_size=1), st.data())
def test_no_prompt_is_on_both_sides(prompts, data):
    """And every row removed has a reason."""
    n = len(prompts)
    split = data.draw(st.integers(0, n))
    found = table(prompts=prompts, folds=("f",) * n)

    rows, removed = found.deduplicated(np.arange(split), np.arange(split, n))

    same = [
        any(prompts[t].lower().split() == prompts[r].lower().split() for t in range(split)) for r in range(split, n)
    ]
    assert (n - split - sum(same), sum(same)) == (len(rows), removed)
    assert not any(same[row - split] for row in rows)
