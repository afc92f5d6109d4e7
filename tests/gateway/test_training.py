from __future__ import annotations

from random import Random

import numpy as np
import pytest

from gateway.config.files import read_files
from gateway.config.routers import build_router_of
from gateway.tables.table import Table, TableError
from gateway.training import TrainingSet, fit
from routers.types import Candidate, Context

POLICY = """\
name: auto
router: {type: estimating, estimator: {type: knn, neighbours: 5}, rule: {type: greedy, floor: 0}, quality_weight: 1}
"""


@pytest.fixture
def policy(tmp_path):
    (tmp_path / "gateway.yaml").write_text(
        "providers: {p: {vendor: vllm}}\nmodels: {a: {provider: p}, b: {provider: p}}\npolicies: [auto.yaml]\n"
    )
    (tmp_path / "auto.yaml").write_text(POLICY)
    (tmp_path / "table.parquet").write_bytes(b"the table's bytes")
    return read_files(tmp_path / "gateway.yaml", {}).policies[0].router


def training_set(path, n: int = 60, **changes) -> TrainingSet:
    """Return a table on which `a` is right in one half of the space, and `b` in the other."""
    side = np.arange(n) % 2
    rng = np.random.default_rng(0)
    embeddings = np.eye(2, dtype=np.float32)[side] + rng.normal(0, 0.05, (n, 2)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    costs = np.full((n, 2), 0.001, dtype=np.float32)
    fields = {
        "path": path / "table.parquet",
        "prompt_ids": tuple(str(i) for i in range(n)),
        "tasks": ("t",) * n,
        "prompts": tuple(f"prompt {i}" for i in range(n)),
        "models": ("a", "b"),
        "scores": np.stack([1 - side, side], axis=1).astype(np.float32),
        "costs_usd": costs,
        "prompt_tokens": costs * np.nan,
        "completion_tokens": costs * np.nan,
        "folds": tuple("dev" if i % 3 == 0 else "train" for i in range(n)),
    }
    return TrainingSet(Table(**{**fields, **changes}), embeddings, encoder="e")


def test_a_fitted_router_is_saved_and_reported_on_rows_it_has_not_seen(policy, tmp_path):
    """It beats every single model on the dev fold, and is what a gateway loads."""
    report = fit(policy, training_set(tmp_path), [Candidate("a"), Candidate("b")], Random(0)).report

    assert (20, 1.0, 0.5) == (report.n, report.router.reward.value, report.singles["a"].reward.value)
    router = build_router_of(policy)
    call = next(
        router.plan(Context("x", 1, np.array([0, 1], dtype=np.float32)), [Candidate("a"), Candidate("b")], Random(0))
    )
    assert "b" == call.candidates[0].model


def test_rows_that_lack_a_score_are_left_out_of_the_report(policy, tmp_path):
    """A model that failed on a prompt is neither right nor wrong there."""
    data = training_set(tmp_path)
    data.table.scores[0, 0] = np.nan

    assert 19 == fit(policy, data, [Candidate("a"), Candidate("b")], Random(0)).report.n


@pytest.mark.parametrize(
    ("changes", "pool", "said"),
    [
        ({}, ["a", "c"], "no column 'score|c'"),
        ({"folds": ("train",) * 60}, ["a", "b"], "no row is 'dev'"),
        ({"folds": ("dev",) * 60}, ["a", "b"], "no row is 'train'"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused(policy, tmp_path, changes, pool, said):
    """The message names the file, the column and the remedy; nothing is written."""
    with pytest.raises(TableError, match=said.replace("|", r"\|")):
        fit(policy, training_set(tmp_path, **changes), [Candidate(model) for model in pool], Random(0))

    assert not policy.state.exists()
