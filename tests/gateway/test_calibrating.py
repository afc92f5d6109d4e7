"""Gates that are fitted to a table's verdicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gateway.calibrating import Shown, calibrate
from gateway.cli.main import app
from gateway.tables.table import Table, TableError
from routers.registry import build_gate

ROUTER = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy", "floor": 0}}
CALIBRATED = {"type": "calibrated", "gate": {"type": "logprob"}}
WEIGHED = {"type": "combined", "gates": [{"type": "expected"}, {"type": "logprob"}]}


def table(n=600, *, verdicts=True, gaps=0.0):
    """Return two models whose answers are good by half the gate's score; tasks in turn."""
    rng = np.random.default_rng(0)
    said = rng.random((n, 2)).astype(np.float32)
    scores = (rng.random((n, 2)) < said / 2).astype(np.float32)
    scores[rng.random((n, 2)) < gaps] = np.nan
    costs = np.full((n, 2), 0.001, np.float32)
    return Table(
        path=Path("table.parquet"),
        prompt_ids=tuple(str(i) for i in range(n)),
        tasks=tuple("sums" if i % 2 else "poems" for i in range(n)),
        prompts=tuple(f"prompt {i}" for i in range(n)),
        models=("small", "large"),
        folds=("train",) * n,
        scores=scores,
        costs_usd=costs,
        prompt_tokens=costs * np.nan,
        completion_tokens=costs * np.nan,
        verdicts=said if verdicts else None,
    )


def shown(**changes):
    found = table(**changes)
    rows = np.arange(len(found.prompts))
    return Shown.of(found, rows, found.outcomes(rows, found.models, np.zeros((len(rows), 2), np.float32)))


@pytest.mark.parametrize("spec", [CALIBRATED, WEIGHED])
def test_a_gate_learns_what_its_scores_mean(spec):
    """Scores that promise twice too much are halved, and the error on unseen answers is small."""
    gate = build_gate(spec)
    found = calibrate(gate, ROUTER, shown())
    error = found.errors["", ""]

    assert gate.is_fitted is True
    assert spec["type"] == found.gate
    assert 1200 == error.n
    assert error.value < 0.06


def test_the_error_is_told_by_model_and_domain():
    """A task is taken for the domain."""
    errors = calibrate(build_gate(CALIBRATED), ROUTER, shown()).errors

    assert {("", ""), ("small", ""), ("large", "")} | {
        (m, d) for m in ("small", "large") for d in ("sums", "poems")
    } == set(errors)
    assert 300 == errors["small", "sums"].n
    low, high = errors["small", "sums"].interval
    assert low <= errors["small", "sums"].value <= high


def test_gaps_count_for_nothing():
    """An answer without a score is neither good nor bad; what is weighed against expectations needs whole rows."""
    alone = calibrate(build_gate(CALIBRATED), ROUTER, shown(gaps=0.2)).errors["", ""].n
    weighed = calibrate(build_gate(WEIGHED), ROUTER, shown(gaps=0.2)).errors["", ""].n

    assert 900 < alone < 1020
    assert 650 < weighed < 880


def test_there_may_be_nothing_to_fit():
    """A gate that learns nothing is left alone, and so is one without verdicts."""
    assert calibrate(build_gate({"type": "wellformed"}), ROUTER, shown()) is None
    assert shown(verdicts=False) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "combined", "gates": [{"type": "wellformed"}, {"type": "logprob"}]},
        {"type": "all_of", "gates": [CALIBRATED, CALIBRATED]},
    ],
)
def test_one_gates_verdicts_do_not_fit_others(spec):
    """The message says what the table has."""
    with pytest.raises(TableError, match="has the verdicts of one gate"):
        calibrate(build_gate(spec), ROUTER, shown())


def test_train_fits_a_cascades_gate_and_tells_its_error(tmp_path, monkeypatch):
    """The state that it writes has both, and a gateway takes it."""
    monkeypatch.setenv("POINTSMAN_CACHE", str(tmp_path / "cache"))
    found = table(n=160)
    columns = {"prompt_id": found.prompt_ids, "task": found.tasks, "prompt": found.prompts}
    for place, model in enumerate(found.models):
        columns |= {f"score|{model}": found.scores[:, place], f"cost|{model}": found.costs_usd[:, place]}
        columns |= {f"gate|{model}": found.verdicts[:, place]}
    columns["fold"] = ["dev" if i % 4 == 0 else "train" for i in range(160)]
    pq.write_table(pa.table(columns), tmp_path / "table.parquet")
    (tmp_path / "gateway.yaml").write_text(
        "providers: {p: {vendor: vllm}}\nmodels: {small: {provider: p}, large: {provider: p}}\npolicies: [steps.yaml]\n"
    )
    (tmp_path / "steps.yaml").write_text(
        "name: steps\nrouter: {type: cascade, gate: {type: calibrated, gate: {type: logprob}},\n"
        "  router: {type: estimating, estimator: {type: constant}, rule: {type: greedy, floor: 0}}}\n"
    )
    config = str(tmp_path / "gateway.yaml")
    trained = CliRunner().invoke(
        app, ["train", str(tmp_path / "table.parquet"), "--policy", "steps", "--config", config]
    )

    assert 0 == trained.exit_code, trained.output
    assert "expected calibration error of the gate, calibrated" in " ".join(trained.output.split())
    assert "poems" in trained.output
    assert "gated" in (tmp_path / "state" / "steps" / "state.json").read_text()
    assert 0 == CliRunner().invoke(app, ["check", config]).exit_code
