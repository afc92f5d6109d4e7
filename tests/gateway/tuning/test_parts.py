from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evaluation.problem import EvaluationError
from gateway.tables.table import Table, TableError
from gateway.tuning.parts import split


def build_table(n=20, folds=None, tasks=None, prompts=None, scores=None):
    unknown = np.full((n, 2), np.nan, np.float32)
    return Table(
        path=Path("table.parquet"),
        prompt_ids=tuple(f"p{i}" for i in range(n)),
        tasks=tuple(tasks or ["sums"] * n),
        prompts=tuple(prompts or [f"add {i}" for i in range(n)]),
        models=("small", "large"),
        folds=tuple(folds or ["train"] * n),
        scores=np.ones((n, 2), np.float32) if scores is None else scores,
        costs_usd=np.ones((n, 2), np.float32),
        prompt_tokens=unknown,
        completion_tokens=unknown,
    )


def length(texts):
    return np.array([[len(text)] for text in texts], np.float32)


@given(st.lists(st.sampled_from("abc"), min_size=10, max_size=40), st.integers(2, 5), st.integers(0, 9))
def test_each_row_is_judged_once_by_what_was_learned_without_it(tasks, count, seed):
    """And each task is in every part, as often as in any other but for one row."""
    parts = split(build_table(len(tasks), tasks=tasks), "train", count, length, seed)

    assert list(range(len(tasks))) == sorted(np.concatenate(parts.judged).tolist())
    for learned, judged in zip(parts.learned, parts.judged, strict=True):
        assert set(range(len(tasks))) - set(judged) == set(learned)
    for task in set(tasks):
        counts = [sum(tasks[row] == task for row in judged) for judged in parts.judged]
        assert max(counts) - min(counts) <= 1


def test_another_seed_deals_other_parts():
    """The same one deals the same."""
    first, again, other = (split(build_table(), "train", 4, length, seed) for seed in (0, 0, 1))

    assert [part.tolist() for part in first.judged] == [part.tolist() for part in again.judged]
    assert [part.tolist() for part in first.judged] != [part.tolist() for part in other.judged]


def test_no_prompt_of_another_fold_is_embedded():
    """Rows keep their own vectors."""
    asked = []

    def embed(texts):
        asked.extend(texts)
        return length(texts)

    prompts = ["a", "secret", "aaa", "aaaa", "hidden", "aaaaa"]
    folds = ["train", "dev", "train", "train", "judging", "train"]
    parts = split(build_table(6, folds, prompts=prompts), "train", 2, embed)

    assert ["a", "aaa", "aaaa", "aaaaa"] == asked
    assert ("a", "aaa", "aaaa", "aaaaa") == parts.outcomes.texts
    assert [1, 3, 4, 5] == parts.outcomes.embeddings[:, 0].tolist()


def test_an_incomplete_row_is_learned_from_and_not_judged():
    """What a router would have earned there is not known."""
    scores = np.ones((20, 2), np.float32)
    scores[7, 1] = np.nan
    parts = split(build_table(scores=scores), "train", 2, length)

    assert 19 == parts.n_judged == parts.pooled().n
    assert 7 not in np.concatenate(parts.judged)
    assert 1 == sum(7 in learned for learned in parts.learned)


def test_a_prompt_that_was_learned_from_is_not_judged():
    """It would be remembered, not understood; where both are in one part, neither was learned from."""
    prompts = [f"add {i // 2}" for i in range(40)]
    parts = split(build_table(40, prompts=prompts), "train", 2, length)

    assert 0 < parts.n_judged < 40
    for folds in parts.folds():
        assert set() == set(folds.train.texts) & set(folds.test.texts)


def test_fewer_rows_than_parts_are_refused():
    """A part would have none to judge."""
    with pytest.raises(EvaluationError, match=r"--folds: 5 is more than the 3 rows"):
        split(build_table(3), "train", 5, length)


def test_parts_without_a_prompt_of_their_own_are_refused():
    """All rows are one prompt."""
    with pytest.raises(EvaluationError, match="leave one without a prompt of its own"):
        split(build_table(prompts=["add"] * 20), "train", 5, length)


def test_a_fold_without_a_complete_row_is_refused():
    """The model that lacks most is named."""
    scores = np.ones((20, 2), np.float32)
    scores[:, 1] = np.nan
    with pytest.raises(TableError, match="'large' lacks most"):
        split(build_table(scores=scores), "train", 5, length)
