"""The command as its users run it, on tables for which the best setting is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.config.loader import load
from gateway.config.policy_models import PolicyConfig
from gateway.config.validate import validate
from routers.registry import build_router

if TYPE_CHECKING:
    from pathlib import Path

FAST = ["--engine", "serial", "--router", "knn", "--try", "knn.neighbours=4", "--try", "knn.shrinkage=1,1000000"]
GATEWAY = """
providers: {here: {vendor: vllm}}
models: {poet: {provider: here}, adder: {provider: here}, dear: {provider: here}}
policies: [mine.yaml]
"""


def columns(n=90):
    """Return two tasks in turn, a specialist for each, and a dear model that is right in between."""
    rng, kind = np.random.default_rng(0), np.arange(n) % 2
    chances = {"poet": np.where(kind, 0.95, 0.1), "adder": np.where(kind, 0.1, 0.95), "dear": np.full(n, 0.7)}
    return {
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
        "fold": ["dev" if i >= 60 else "train" for i in range(n)],
    }


def write_table(path: Path, **changes) -> Path:
    pq.write_table(pa.table({**columns(), **changes}), path)
    return path


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Keep embeddings out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINTSMAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "kinds.parquet")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "mine.yaml"


def tune(*arguments, status=0):
    result = CliRunner().invoke(app, ["tune", *map(str, arguments)])
    assert status == result.exit_code, result.output
    return result


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """Return the file that was written once for all who only read it, and what was printed."""
    folder = tmp_path_factory.mktemp("tuned")
    printed = tune(write_table(folder / "kinds.parquet"), "--out", folder / "mine.yaml", *FAST, "--json").stdout
    return folder / "mine.yaml", json.loads(printed)


def test_the_setting_that_tells_the_tasks_apart_is_chosen(tuned):
    """The other one shrinks all that is near to what is true of all."""
    policy = yaml.safe_load(tuned[0].read_text())

    assert "mine" == policy["name"]
    assert {"type": "knn", "neighbours": 4, "shrinkage": 1} == policy["router"]["estimator"]
    assert {"type": "greedy", "floor": 0.02} == policy["router"]["rule"]
    assert {"type": "regression"} == policy["router"]["costs"]
    assert 0 < policy["router"]["quality_weight"] < 1


def test_what_is_written_is_a_policy_that_serves(table, out, tmp_path):
    """`pointsman check` finds it good, and it builds."""
    tune(table, "--out", out, *FAST, "--name", "tuned@2")
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    checked = CliRunner().invoke(app, ["check", str(tmp_path / "gateway.yaml")])

    assert 0 == checked.exit_code
    assert "policy tuned@2: poet, adder, dear" in checked.output
    build_router(validate(load(out, {}), PolicyConfig).router)


def test_the_file_says_what_was_tried_and_why(tuned):
    """Table, digest, rows, folds, seed, each setting with its numbers, the rule, and what the dial is good for."""
    path, document = tuned
    text = path.read_text()
    chosen = next(one for one in document["settings"] if one["chosen"])

    for said in ("kinds.parquet: 60 rows of that fold, 60 of them judged, 3 models", "5-fold", "seed 0", "by task"):
        assert said in text
    assert document["tables"][0]["sha256"] in text
    assert f"# >* {chosen['aiq']['value']:.4f} +- {chosen['aiq']['error']:.4f}" in text
    assert 2 == text.count("{type: knn, neighbours: ") - 1
    assert "as good as the best single model" in text
    assert "dear alone" in text


def test_the_dial_reaches_the_best_single_model_at_less_cost(tuned):
    """Two specialists do better than the dear model, at a tenth of its price."""
    _, document = tuned
    (standing,) = document["chosen"]["tables"]

    assert document["chosen"]["reaches_best_single"]
    assert standing["quality"] >= standing["single_quality"]
    assert standing["cost_usd"] < 0.2 * standing["single_cost_usd"]


def test_rows_of_other_folds_make_no_difference(tuned, tmp_path):
    """Whatever their scores, costs, tasks and prompts are, the same file is written, but for the table's digest."""
    rng, data = np.random.default_rng(1), columns()
    changes = {name: data[name].copy() for name in data if "|" in name}
    for name, values in changes.items():
        values[60:] = rng.random(30) if name.startswith("score") else 1000 * rng.random(30)
    garbage = {name: [*data[name][:60], *[f"{name} {i}" for i in range(30)]] for name in ("task", "prompt")}
    other = write_table(tmp_path / "kinds.parquet", **changes, **garbage)
    out, found = tuned
    again = json.loads(tune(other, "--out", tmp_path / "again.yaml", *FAST, "--json", "--name", "mine").stdout)
    digests = [one["tables"][0]["sha256"] for one in (found, again)]

    assert digests[0] != digests[1]
    assert out.read_text().replace(digests[0], digests[1]) == (tmp_path / "again.yaml").read_text()
    assert [one["aiq"] for one in found["settings"]] == [one["aiq"] for one in again["settings"]]


def test_another_fold_is_looked_at_only_on_demand(table, tuned, tmp_path):
    """What is seen there is said, and changes nothing that was chosen."""
    out, _ = tuned
    document = json.loads(
        tune(table, "--out", tmp_path / "b.yaml", *FAST, "--report-on", "dev", "--json", "--name", "mine").stdout
    )
    without, reported = yaml.safe_load(out.read_text()), yaml.safe_load((tmp_path / "b.yaml").read_text())
    (seen,) = document["report_on"]

    assert without == reported
    assert "the fold 'dev'" not in out.read_text()
    assert f"AIQ {seen['aiq']:.4f}" in (tmp_path / "b.yaml").read_text()
    assert ("dev", 30) == (seen["fold"], seen["n"])
    assert seen["quality"] > seen["single_quality"]


def test_all_tables_count(table, out, tmp_path):
    """Each is cross-validated by itself."""
    other = write_table(tmp_path / "more.parquet")
    document = json.loads(tune(table, other, "--out", out, *FAST, "--json").stdout)

    assert 2 == len(document["tables"]) == len(document["chosen"]["tables"])
    assert "on average over the tables" in out.read_text()


def test_processes_find_what_one_process_finds(table, tuned, tmp_path):
    """Where it is done does not matter."""
    out, _ = tuned
    tune(table, "--out", tmp_path / "b.yaml", *FAST[2:], "--engine", "processes:2", "--name", "mine")

    assert out.read_text() == (tmp_path / "b.yaml").read_text()


def test_squared_errors_can_be_what_is_chosen_by(table, out):
    """The file says so."""
    tune(table, "--out", out, *FAST, "--metric", "squared-error", "--folds", "3")

    assert "whose squared error is not worse" in out.read_text()
    assert "3-fold" in out.read_text()
    assert 1 == yaml.safe_load(out.read_text())["router"]["estimator"]["shrinkage"]


def test_a_table_is_shown_to_people(table, out):
    """On standard output; with --json, on standard error."""
    shown = tune(table, "--out", out, *FAST).stdout

    assert "2 settings, 5-fold cross-validation on 60 prompts" in shown
    assert f"policy written to {out}" in shown


def test_a_name_that_would_end_a_comment_does_not(out, tmp_path):
    """The file stays a policy, with the same router."""
    path = tmp_path / "a\nrouter: {type: fixed, model: dear}\nb.parquet"
    tune(write_table(path), "--out", out, *FAST)

    assert "estimating" == yaml.safe_load(out.read_text())["router"]["type"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--router", "knm"], "--router: no estimator 'knm'; did you mean 'knn'?"),
        (["--try", "knn.neighbours=0"], "neighbours=0"),
        (["--folds", "1"], "--folds: 1 must be at least 2"),
        (["--folds", "61"], "--folds: 61 is more than the 60 rows"),
        (["--budget-trials", "0"], "--budget-trials: 0 must be at least 1"),
        (["--train-fold", "trian"], "--train-fold: no row of"),
        (["--report-on", "dve"], "did you mean 'dev'?"),
        (["--report-on", "train"], "--report-on: 'train' is what is learned from"),
        (["--name", "a:b"], "--name: 'a:b' must consist of"),
        (["--name", ""], "--name: '' must consist of"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_status(table, out, arguments, said):
    """It names the option, the value and the remedy; nothing is written."""
    result = tune(table, "--out", out, *FAST, *arguments, status=2)
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]

    assert 1 == len(lines)
    assert said in lines[0]
    assert not out.exists()


def test_a_file_is_never_written_over(table, out):
    """It may be somebody's work."""
    out.write_text("name: mine\n")

    assert "exists; remove it" in tune(table, "--out", out, *FAST, status=2).stderr
    assert "name: mine\n" == out.read_text()


def test_only_yaml_is_written(table, tmp_path):
    """A gateway would not load another file."""
    assert "must end in .yaml" in tune(table, "--out", tmp_path / "mine.json", *FAST, status=2).stderr
