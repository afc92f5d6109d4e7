"""The command as its users run it, on tables whose best routing is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.evaluate import command
from gateway.tables.table import TableError

if TYPE_CHECKING:
    from pathlib import Path

APP = typer.Typer(pretty_exceptions_enable=False)
APP.command("evaluate")(command)
APP.callback()(lambda: None)

FAST = ["--engine", "serial", "--router", "constant,random", "--seeds", "2"]
POLICY = "name: mine\nrouter: {type: estimating, estimator: {type: knn}, rule: {type: greedy, floor: 0}}\n"


def write_table(path: Path, n: int = 80, **columns) -> Path:
    """Write two tasks in turn, a specialist for each, and a dear model that is right in between."""
    rng, kind = np.random.default_rng(0), np.arange(n) % 2
    chances = {"poet": np.where(kind, 0.95, 0.1), "adder": np.where(kind, 0.1, 0.95), "dear": np.full(n, 0.7)}
    data = {
        "prompt_id": [f"p{i}" for i in range(n)],
        "task": ["poems" if one else "sums" for one in kind],
        "prompt": [
            f"{'write a poem about the sea, number' if one else 'add these numbers:'} {i}" for i, one in enumerate(kind)
        ],
        **{f"score|{model}": (rng.random(n) < p).astype(np.float32) for model, p in chances.items()},
        **{
            f"cost|{model}": np.full(n, usd, np.float32)
            for model, usd in {"poet": 0.001, "adder": 0.0011, "dear": 0.01}.items()
        },
        "fold": ["dev" if i % 4 > 1 else "train" for i in range(n)],
        **columns,
    }
    pq.write_table(pa.table(data), path)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep embeddings out of the user's cache."""
    monkeypatch.setenv("POINTSMAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "kinds.parquet")


def evaluate(*arguments, status=0):
    result = CliRunner().invoke(APP, ["evaluate", *map(str, arguments)])
    assert status == result.exit_code, result.output
    return result


def report(folder: Path):
    return json.loads((folder / "report.json").read_text())


def by_name(entries):
    return {entry["router"]: entry for entry in entries}


def test_a_router_that_tells_the_tasks_apart_beats_every_single_model(table, tmp_path):
    """It sends each task to its specialist: as good as being told the task, at a tenth of the best model's cost."""
    evaluate(table, "--out", tmp_path / "out", "--engine", "serial", "--router", "knn", "--router", "constant")
    document = report(tmp_path / "out")
    routers, references = by_name(document["routers"]), by_name(document["references"])

    verdicts = {(one["reference"], one["metric"]): one["verdict"] for one in routers["knn"]["differences"]}
    assert "better" == verdicts["zero", "aiq"]
    assert "no difference" == verdicts["task_oracle", "aiq"]
    assert routers["knn"]["aiq"] > routers["constant"]["aiq"]
    assert routers["knn"]["match_cost_ratio"] < 0.2
    assert references["oracle"]["aiq"] >= references["task_oracle"]["aiq"]
    assert {"best_single", "cheapest", "random", "zero", "single:poet"} <= references.keys()


def test_report_says_what_was_judged(table, tmp_path):
    """The table, its folds, its models; each seed; each setting of the dial, with the shares of the models."""
    evaluate(table, "--out", tmp_path / "out", *FAST)
    document = report(tmp_path / "out")
    routers = by_name(document["routers"])

    (described,) = document["tables"]
    assert ("kinds", 40, 40, {"poems": 20, "sums": 20}) == tuple(
        described[k] for k in ("name", "n_train", "n_test", "tasks")
    )
    assert ["poet", "adder", "dear"] == [one["model"] for one in described["models"]]
    assert (True, [0]) == (routers["constant"]["deterministic"], [one["seed"] for one in routers["constant"]["seeds"]])
    assert by_name(document["references"])["random"]["aiq"] == pytest.approx(routers["random"]["aiq"])
    assert 43 == len(routers["constant"]["points"])
    assert {"poet": 1.0} == routers["constant"]["points"][0]["shares"]
    assert {"p50", "p99"} == routers["constant"]["latency_us"].keys()
    low, high = routers["constant"]["intervals"]["aiq"]
    assert low <= routers["constant"]["aiq"] <= high


def test_what_has_a_seed_is_fitted_for_each(table, tmp_path):
    """Each seed is in the report, and how much they differ."""
    path = tmp_path / "drawing.yaml"
    path.write_text(
        "name: drawing\nrouter: {type: estimating, estimator: {type: constant}, rule: {type: thompson, draws: 20}}\n"
    )
    evaluate(table, "--out", tmp_path / "out", "--engine", "serial", "--router", path, "--seeds", "3")
    (entry,) = report(tmp_path / "out")["routers"]

    assert (False, [0, 1, 2]) == (entry["deterministic"], [one["seed"] for one in entry["seeds"]])
    assert entry["spread"]["max_accuracy"] > 0


def test_json_is_the_report_and_nothing_else(table, tmp_path):
    """Tables for people go to standard error."""
    result = evaluate(table, "--out", tmp_path / "out", *FAST, "--json")

    assert report(tmp_path / "out") == json.loads(result.stdout)
    assert "AIQ v zero" in result.stderr
    assert "AIQ" in evaluate(table, "--out", tmp_path / "out", *FAST).stdout


def test_a_page_is_written_beside_the_numbers(table, tmp_path):
    """To look at."""
    evaluate(table, "--out", tmp_path / "out", *FAST)

    assert (tmp_path / "out" / "report.html").is_file()


def test_a_pair_of_models_is_judged_by_who_gets_the_strong_one(table, tmp_path):
    """Chance recovers half of the gap."""
    evaluate(table, "--out", tmp_path / "out", "--engine", "serial", "--router", "knn,random", "--pair", "dear,poet")
    pairs = by_name(report(tmp_path / "out")["pairs"])

    assert ("dear", "poet") == (pairs["knn"]["strong"], pairs["knn"]["weak"])
    assert pairs["knn"]["apgr"] > 0.7
    assert 0.5 == pytest.approx(pairs["random"]["apgr"])


def test_each_task_is_left_out_in_turn(table, tmp_path):
    """A router that goes by the training means alone is never worse than the model that they name."""
    evaluate(table, "--out", tmp_path / "out", *FAST, "--leave-task-out")
    document = report(tmp_path / "out")
    rows = [one for one in document["leave_task_out"] if one["router"] == "constant"]
    summary = by_name(document["leave_task_out_summary"])["constant"]

    assert ["poems", "sums"] == [one["task"] for one in rows]
    assert [0.0, 0.0] == [one["gap_points"] for one in rows]
    assert 0.0 == summary["worst_gap_points"]


def test_several_tables_are_judged_one_by_one(table, tmp_path):
    """Each under its own name."""
    other = write_table(tmp_path / "more.parquet", 40)
    evaluate(table, other, "--out", tmp_path / "out", *FAST)
    document = report(tmp_path / "out")

    assert ["kinds", "more"] == [one["name"] for one in document["tables"]]
    assert {("kinds", "constant"), ("more", "constant")} <= {
        (one["table"], one["router"]) for one in document["routers"]
    }


def test_processes_find_what_one_process_finds(table, tmp_path):
    """Where it is done does not matter."""
    for engine in ("serial", "processes:2"):
        evaluate(table, "--out", tmp_path / engine, "--engine", engine, "--router", "constant,random", "--seeds", "2")
    here, there = (by_name(report(tmp_path / engine)["routers"]) for engine in ("serial", "processes:2"))

    assert [here[name]["points"] for name in here] == [there[name]["points"] for name in here]


def test_a_policy_s_file_is_evaluated_under_its_name(table, tmp_path):
    """As it would serve, but with no price: costs are what the table says."""
    (tmp_path / "mine.yaml").write_text(POLICY)
    evaluate(table, "--out", tmp_path / "out", "--engine", "serial", "--router", tmp_path / "mine.yaml")

    assert ["mine"] == list(by_name(report(tmp_path / "out")["routers"]))


def test_paraphrases_are_asked_too(tmp_path):
    """The same words in other letters are decided alike."""
    path = tmp_path / "said.parquet"
    table = pq.read_table(write_table(path))
    write_table(path, paraphrase=[text.upper() for text in table["prompt"].to_pylist()])
    evaluate(path, "--out", tmp_path / "out", *FAST)

    assert 1.0 == by_name(report(tmp_path / "out")["routers"])["constant"]["robustness"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--router", "knm"], "--router: no estimator, router or policy 'knm'; did you mean 'knn'?"),
        (["--router", "fixed"], "--router: 'fixed': router.model: is required (str)"),
        (["--test-fold", "dve"], "did you mean 'dev'?"),
        (["--train-fold", "dev"], "--test-fold: 'dev' is what is learned from"),
        (["--seeds", "0"], "--seeds: 0 must be at least 1"),
        (["--pair", "dear"], "--pair: 'dear' must be two different models"),
        (["--pair", "dear,pote"], "has no model 'pote'; did you mean 'poet'?"),
        (["--jobs", "0"], "--jobs: 0 must be at least 1"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_status(table, tmp_path, arguments, said):
    """It names the option, the value and the remedy."""
    engine = [] if "--jobs" in arguments else ["--engine", "serial"]
    router = [] if "--router" in arguments else ["--router", "constant"]
    result = evaluate(table, "--out", tmp_path / "out", *engine, *router, *arguments, status=2)

    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert 1 == len(lines)
    assert said in lines[0]
    assert not (tmp_path / "out").exists()


def test_a_model_of_unknown_cost_is_refused(tmp_path):
    """A report is about cost; training on such a table is another matter."""
    path = write_table(tmp_path / "kinds.parquet", **{"cost|poet": np.full(80, np.nan, np.float32)})

    result = CliRunner().invoke(APP, ["evaluate", str(path), "--out", str(tmp_path / "out"), *FAST])

    assert isinstance(result.exception, TableError)
    assert "column 'cost|poet': holds no cost; state the model's `price`" in str(result.exception)


def test_a_report_is_never_written_over_a_file(table, tmp_path):
    """A folder is needed."""
    (tmp_path / "out").write_text("mine")

    assert "is a file; name a folder" in evaluate(table, "--out", tmp_path / "out", status=2).stderr
    assert "mine" == (tmp_path / "out").read_text()


def test_two_tables_of_one_name_are_refused(table, tmp_path):
    """The report could not tell them apart."""
    (tmp_path / "b").mkdir()
    other = write_table(tmp_path / "b" / "kinds.parquet", 40)

    assert "rename one" in evaluate(table, other, "--out", tmp_path / "out", *FAST, status=2).stderr


def test_a_table_of_one_task_has_none_to_leave_out(tmp_path):
    """There would be nothing to learn from."""
    path = write_table(tmp_path / "one.parquet", 20, task=["sums"] * 20)

    said = evaluate(path, "--out", tmp_path / "out", *FAST, "--leave-task-out", status=2).stderr
    assert "has no other task than 'sums' to learn from" in said


NAMED = (
    "{type: fixed, model: pote}",
    "{type: estimating, estimator: {type: constant}, rule: {type: greedy}, utility: {type: threshold, weak: pote}}",
)


@pytest.mark.parametrize("router", NAMED)
def test_a_router_of_a_model_that_the_table_lacks_is_refused(table, tmp_path, router):
    """It would refuse every request, and look cheap; or never find the model that it waits for."""
    (tmp_path / "mine.yaml").write_text(f"name: mine\nrouter: {router}\n")

    said = evaluate(
        table, "--out", tmp_path / "out", "--engine", "serial", "--router", tmp_path / "mine.yaml", status=2
    )
    assert "has no model 'pote'; did you mean 'poet'?" in said.stderr
